// SPDX-License-Identifier: Apache-2.0
// The file of --net-lock: what a job connected to, as rules, one a line, sorted; "#" begins a
// comment. Pure.
#ifndef BRYO_JOB_NETLOCK_H
#define BRYO_JOB_NETLOCK_H

#include "internal/job/netrule.h"

#include <stdbool.h>
#include <stddef.h>

struct buf;
struct err;

#define NETLOCK_FILE_MAX (256U << 10) // bytes

// The rules of a file, each an allowing one, appended. -EINVAL or -E2BIG with err, which names the
// line.
int netlock_read(const char *text, size_t n, struct net_rules *rules, struct err *err);

// What a job used, gathered.
struct netlock {
    char **lines; // rules as text, sorted, each once; owned
    size_t n;
    bool full; // more than NET_RULES_MAX were used: some are missing
};

void netlock_done(struct netlock *l);

// A connection: name "" when none is known. A name that was asked for: proto NET_PROTO_ANY, port 0.
void netlock_used(struct netlock *l, const char *name, const struct ip_addr *a,
                  enum net_proto proto, uint16_t port);

// The file. A name that was asked for and connected to is there once.
void netlock_write(const struct netlock *l, struct buf *out);

#endif
