// SPDX-License-Identifier: Apache-2.0
// Addresses that no job reaches, whatever its rules say: what stands for a machine itself, and what
// clouds answer with credentials. Pure.
//
//   0.0.0.0/8, 127.0.0.0/8, ::, ::1        the machine (RFC 1122; connect(2) to 0.0.0.0 is
//   127.0.0.1) 169.254.0.0/16, fe80::/10              its links, and most clouds' metadata
//   (169.254.169.254) fd00:ec2::254, fd20:ce::254, 100.100.100.200, 192.0.0.192, 168.63.129.16
//                                          metadata of AWS, Google, Alibaba, Oracle, Azure
//   224.0.0.0/4, 255.255.255.255, ff00::/8 all of a link at once
//   ::/96, ::ffff:0:0/96, ::ffff:0:0:0/96  IPv4 in IPv6's clothes: the kernel connects by IPv4, and
//                                          every rule about IPv4 would be passed by
//   64:ff9b::/96 (NAT64), 64:ff9b:1::/48, 2002::/16 (6to4), 2001::/32 (Teredo) of one of these
//
// The machine's other addresses are not in a list: its routing table knows them (host_local.h).
#ifndef BRYO_NET_CLOSED_H
#define BRYO_NET_CLOSED_H

#include "internal/base/ipaddr.h"

#include <stdbool.h>

// What the address is ("the machine's loopback"), static; NULL: it is open.
const char *closed_why(const struct ip_addr *a);

// Whether a translator on the way would make an IPv4 address of it (NAT64, 6to4, Teredo), and
// which.
bool closed_embedded(const struct ip_addr *a, struct ip_addr *ret);

#endif
