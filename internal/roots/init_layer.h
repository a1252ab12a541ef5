// SPDX-License-Identifier: Apache-2.0
// The read-only layer between image and scratch that holds what bryo writes for a job: etc/hosts,
// etc/hostname, etc/resolv.conf; for the "host" root also its top level. Named by its content and
// shared by all jobs with the same one, so that a warm start finds it made. Host side.
#ifndef BRYO_ROOTS_INIT_LAYER_H
#define BRYO_ROOTS_INIT_LAYER_H

#include "internal/base/buf.h"

#include "internal/job/netopts.h"

#include <stdint.h>

struct err;

struct init_layer {
    const char *hostname;
    enum network_mode network;    // host: hosts and resolv.conf are the machine's
    const struct net_opts *net;   // slirp: what is in them; host: the names of --add-host
    const struct strv *top_dirs;  // directories to make at the top; may be NULL
    const struct strv *top_links; // "NAME\0TARGET" strings: links to make there; may be NULL
};

// Makes sure that it is there; *ret is its absolute path (the caller frees).
int init_layer_ensure(const char *bryo_dir, const struct init_layer *layer, char **ret,
                      struct err *err);

// Removes those that no job was started with for older_than_s seconds, and for two minutes at least
// (a job that starts now has one, and no scratch yet by which it could be seen), but for the paths
// in kept. Only when no job runs.
void init_layer_prune(const char *bryo_dir, uint64_t older_than_s, const struct strv *kept);

#endif
