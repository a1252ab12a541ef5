// SPDX-License-Identifier: Apache-2.0
// A flow: what one connection, or the datagrams between two ports, are known by; and what became of
// it. Pure data, shared by both paths, the policy and the log.
#ifndef BRYO_NET_FLOW_H
#define BRYO_NET_FLOW_H

#include "internal/base/ipaddr.h"
#include "internal/job/netrule.h"

#include <stdbool.h>
#include <stdint.h>

enum flow_verdict {
    FLOW_ALLOWED,
    FLOW_REFUSED, // by a rule of the user's
    FLOW_CLOSED,  // closed by default: the machine itself, link-local, metadata
};

struct flow_key {
    struct ip_addr src; // the job's
    struct ip_addr dst; // as the job named it
    uint16_t sport;     // ICMP: the identifier
    uint16_t dport;     // ICMP: 0
    enum net_proto proto;
};

struct flow {
    struct flow_key key;
    // Where it leads on the machine: key.dst, but the machine's loopback for the gateway's address
    // (--allow-host) and IP_NONE for what bryo-net answers itself.
    struct ip_addr host;
    uint16_t host_port; // key.dport, but for the resolver by TCP
    enum flow_verdict verdict;
    char why[128];           // what is closed, or the rule; "" when allowed by default
    char name[NET_NAME_MAX]; // the name that the job asked for to get key.dst; "" when not known
    bool published;          // it came from outside, to a published port
    bool fast;               // carried by the fast path
    uint64_t start_us;       // CLOCK_MONOTONIC
    uint64_t end_us;         // 0: not yet
    uint64_t bytes_out;      // payload, from the job
    uint64_t bytes_in;       // payload, to the job
    int error;               // errno of a connection that failed on the machine's side; 0: none
};

#endif
