// SPDX-License-Identifier: Apache-2.0
// The job's resolver, at .3 and fd00::3, port 53: says of names that no rule allows that they do
// not exist, knows those of
// --add-host, asks the machine's resolvers for the rest, and notes which addresses it gave for
// which name (names.h). Host side; the transport is the caller's (frames for UDP, dns_tcp.h for
// TCP).
#ifndef BRYO_NET_DNS_H
#define BRYO_NET_DNS_H

#include "internal/base/ipaddr.h"
#include "net/dns_upstream.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dns;
struct loop;
struct policy;

// Who asked. serial tells apart what has the same address and port.
struct dns_asker {
    struct ip_addr src;
    struct ip_addr dst; // the resolver's address that was asked
    uint16_t sport;
    bool tcp;
    uint64_t serial;
};

// A question and what became of it, for the log.
struct dns_record {
    struct dns_asker asker;
    const char *name;
    uint16_t type;
    int rcode;
    bool refused;                // by the policy
    const char *why;             // of that; ""
    const struct ip_addr *addrs; // that the answer gave for the name
    size_t n_addrs;
    uint64_t start_us;
};

struct dns_config {
    struct loop *loop;
    const struct policy *policy; // its names are added to
    bool ipv6;                   // the job has IPv6: else AAAA is answered with nothing
    const struct dns_upstream_times *times;
    // An answer to be sent. May be called from within dns_ask().
    void (*reply)(void *ctx, const struct dns_asker *to, const void *msg, size_t n);
    void (*log)(void *ctx, const struct dns_record *record); // NULL: none
    void *ctx;
};

struct dns *dns_new(const struct dns_config *config);
void dns_free(struct dns *d); // NULL is fine

// The text of the machine's resolv.conf, at first and when it changed. --dns goes before it.
void dns_set_resolv(struct dns *d, const char *text, size_t n);

// A message came to the resolver. What is no question is passed over.
void dns_ask(struct dns *d, const struct dns_asker *from, const void *msg, size_t n);

// The asker is gone: nothing more is sent to it.
void dns_forget(struct dns *d, const struct dns_asker *asker);

#endif
