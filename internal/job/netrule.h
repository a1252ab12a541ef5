// SPDX-License-Identifier: Apache-2.0
// One rule of --allow, --deny or a --net-lock file: where a job may connect to. Pure.
//
//     RULE  = HOST [":" PORTS] ["/" PROTO]
//     HOST  = "*" | NAME | "*." NAME | IPV4 ["/" PREFIX] | "[" IPV6 ["/" PREFIX] "]" ["/" PREFIX]
//     PORTS = "*" | PORT | PORT "-" PORT | "dns"
//     PROTO = "tcp" | "udp" | "icmp"
//
// Without PORTS every port is meant, without PROTO every protocol. "*.example.org" stands for every
// name below example.org, not for example.org itself. "dns": the name may be asked for, and nothing
// is connected to. A rule of some ports says nothing about ICMP, which has none.
#ifndef BRYO_JOB_NETRULE_H
#define BRYO_JOB_NETRULE_H

#include "internal/base/ipaddr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct err;

enum net_proto { NET_PROTO_ANY, NET_PROTO_TCP, NET_PROTO_UDP, NET_PROTO_ICMP };

enum net_rule_kind { NET_RULE_ALL, NET_RULE_NAME, NET_RULE_BELOW, NET_RULE_NET };

struct net_rule {
    bool allow;
    enum net_rule_kind kind;
    char *name;         // _NAME, _BELOW: lower case, no dot at the end, without "*."; owned
    struct ip_net net;  // _NET
    uint16_t port_from; // 0 to 65535: every port; 0 to 0: "dns"
    uint16_t port_to;
    enum net_proto proto;
};

struct net_rules {
    struct net_rule *v; // first match wins
    size_t n;
};

#define NET_RULES_MAX 1000 // a list of more is refused: each connection walks it

// Appends the rules of a list, parted by commas. -EINVAL or -E2BIG with err; what came before the
// wrong one stays appended.
int net_rules_parse(const char *list, bool allow, struct net_rules *rules, struct err *err);
void net_rules_done(struct net_rules *rules);

// The rule as it is written in a list.
void net_rule_format(const struct net_rule *rule, struct buf *out);

// Whether a name matches (of NET_RULE_NAME and NET_RULE_BELOW; false for the others). name: lower
// case, no dot at the end.
bool net_rule_matches_name(const struct net_rule *rule, const char *name);

// Whether the rule speaks of this protocol and port (port: 0 for ICMP).
bool net_rule_matches_port(const struct net_rule *rule, enum net_proto proto, uint16_t port);

// "tcp", "udp", "icmp" or "any".
const char *net_proto_word(enum net_proto proto);

// A host name as DNS has it: labels of 1 to 63 letters, digits, hyphens and underscores, 253 bytes
// in all; a dot at the end is taken off. Writes it in lower case. 0 or -EINVAL.
#define NET_NAME_MAX 254 // with the NUL
int net_name_parse(const char *s, size_t n, char out[static NET_NAME_MAX]);

#endif
