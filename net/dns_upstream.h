// SPDX-License-Identifier: Apache-2.0
// Asks the machine's resolvers: in order, the next when one is silent, refuses the connection or
// says that it cannot. Host side; one thread, nothing blocks.
//
// Each question goes out with an id and from a port of its own, both random, on a socket that only
// hears the resolver it is connected to (RFC 5452). A resolver that was silent is asked last for a
// while.
#ifndef BRYO_NET_DNS_UPSTREAM_H
#define BRYO_NET_DNS_UPSTREAM_H

#include "internal/job/netopts.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dns_question;
struct dns_upstream;
struct loop;

#define DNS_UPSTREAM_MAX 128 // questions at a time

struct dns_upstream_server {
    struct net_dns_server at;
    uint32_t scope; // interface index of a link-local address, else 0
};

// What a silent resolver is given, microseconds.
struct dns_upstream_times {
    uint64_t udp_us;    // before the next one is asked; twice as much in the second round
    uint64_t tcp_us;    // for the whole of an exchange
    uint64_t silent_us; // for so long one that was silent is asked last
};

extern const struct dns_upstream_times dns_upstream_default_times;

struct dns_upstream *dns_upstream_new(struct loop *loop, const struct dns_upstream_times *times);
void dns_upstream_free(struct dns_upstream *u); // no callback is called any more; NULL is fine

// At most NET_DNS_MAX. Questions that wait go on with those that they began with.
void dns_upstream_set(struct dns_upstream *u, const struct dns_upstream_server *servers, size_t n);

// msg: the answer, with the question's own id, for the time of the call; NULL: nobody answered.
// msg may be changed.
typedef void dns_upstream_fn(void *ctx, uint8_t *msg, size_t n);

// Calls fn once, later. 0, or -EBUSY when too many wait, -ENOENT when there is no resolver; then fn
// is not called.
int dns_upstream_ask(struct dns_upstream *u, const struct dns_question *q, bool tcp,
                     dns_upstream_fn *fn, void *ctx);

#endif
