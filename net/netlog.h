// SPDX-License-Identifier: Apache-2.0
// What bryo-net writes down: connections and questions (--net-log), packets (--pcap), and what was
// used (--net-lock). Host side; the formats are in flowlog.h, pcapng.h and netlock.h.
#ifndef BRYO_NET_NETLOG_H
#define BRYO_NET_NETLOG_H

#include "net/flow.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct dns_record;
struct loop;
struct net_opts;
struct netlog;

// Descriptors stay the caller's; -1: not asked for.
struct netlog_files {
    int log;
    int lock;
    int pcap;
};

struct netlog *netlog_new(struct loop *loop, const struct net_opts *opts,
                          const struct netlog_files *files);

// A verdict was given; rule: index, or POLICY_NO_RULE. A refused flow is written now.
void netlog_verdict(struct netlog *l, const struct flow *f, size_t rule);
void netlog_ended(struct netlog *l, const struct flow *f); // an allowed one is over
void netlog_dns(struct netlog *l, const struct dns_record *r);
void netlog_frame(struct netlog *l, bool in, const void *frame, size_t len);

// The end: writes what waits and the lock file, and appends what the user should know, a line each
// (parted by newlines): a file that could not be written, rules of a lock file that were not used.
void netlog_finish(struct netlog *l, struct buf *notes);
void netlog_free(struct netlog *l); // NULL is fine

#endif
