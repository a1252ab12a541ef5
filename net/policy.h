// SPDX-License-Identifier: Apache-2.0
// Where a job may connect to. Pure: what the machine's own addresses are is asked of a function.
//
// In this order: the job's own virtual network (gateway and resolver, nothing else is there); what
// is closed to every job (closed.h, the machine's own addresses); the rules of --allow and --deny,
// first match wins; then allowed, unless there was an --allow. A name is what the job's own DNS
// answered with this address for (names.h), so that a name which is made to answer with a closed
// address (DNS rebinding) opens nothing.
#ifndef BRYO_NET_POLICY_H
#define BRYO_NET_POLICY_H

#include "net/flow.h"

#include "internal/job/netopts.h"

#include <stdbool.h>
#include <stdint.h>

struct buf;
struct names;

struct policy {
    const struct net_opts *opts;
    struct names *names;
    uint16_t
        dns_port; // of 127.0.0.1, where the resolver is to be had by TCP (dns_tcp.h); 0: it is not
    // Whether an address is one of the machine's own (host_local.h); NULL: none is.
    bool (*is_local)(void *ctx, const struct ip_addr *a);
    void *ctx;
};

#define POLICY_NO_RULE SIZE_MAX

// Decides on flow->key: fills verdict, host, why and name. *ret_rule (may be NULL): the index of
// the rule that decided, or POLICY_NO_RULE.
enum flow_verdict policy_decide(const struct policy *p, struct flow *flow, uint64_t now_us,
                                size_t *ret_rule);

// Whether the job may ask for a name (lower case, no dot at the end): a rule of --allow could let
// it connect there, or there is no --allow and no rule of --deny takes all of it. Names of the
// reverse tree (in-addr.arpa, ip6.arpa) count as the address that they are of. why as in struct
// flow.
bool policy_name(const struct policy *p, const char *name, uint64_t now_us, char why[128]);

// One line for a person: "tcp example.org:443 (198.51.100.1) refused: --deny *:443". Appended.
void policy_tell(const struct flow *flow, struct buf *out);

#endif
