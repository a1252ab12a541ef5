// SPDX-License-Identifier: Apache-2.0
// The files of --net-log, --pcap and --net-lock: opened here with the user's authority, written by
// bryo-net, which can open nothing. Host side.
#ifndef BRYO_RUN_NET_FILES_H
#define BRYO_RUN_NET_FILES_H

#include "internal/job/netopts.h"

struct err;

struct net_files {
    int log;                 // -1: not asked for
    int pcap;                // -1
    int lock;                // in memory: what is to become the file; -1: none is to be written
    struct net_rules locked; // of a lock file that is there: to be enforced
    bool enforced;
};

#define NET_FILES_NONE ((struct net_files){.log = -1, .pcap = -1, .lock = -1})

// Log and capture are emptied where they exist as regular files. A lock file that is there, and not
// empty, is read. -errno with err; nothing stays open then.
int net_files_open(const struct net_opts *opts, struct net_files *ret, struct err *err);

// *ret is *opts with the rules of the lock file behind the others, and shares all else with it.
// The array in ret->rules.v is the caller's to free, the names in it are not.
void net_files_opts(const struct net_files *f, const struct net_opts *opts, struct net_opts *ret);

// Makes a file of what bryo-net wrote for the lock, if it is to be one: whole or not at all.
int net_files_keep_lock(const struct net_files *f, const char *path, struct err *err);

void net_files_close(struct net_files *f);

#endif
