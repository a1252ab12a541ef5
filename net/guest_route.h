// SPDX-License-Identifier: Apache-2.0
// Routes in tables of their own, and the rules that lead there (ip-rule(8)). Guest side.
#ifndef BRYO_NET_GUEST_ROUTE_H
#define BRYO_NET_GUEST_ROUTE_H

#include <stdint.h>

struct guest_nl;
struct nlmsghdr;

// A rule to be made (RTM_NEWRULE) or taken away (RTM_DELRULE): "lookup table" at that priority.
// What it is to match is added by the caller (FRA_*), as is what a route needs besides (RTA_*).
struct nlmsghdr *guest_route_rule(struct guest_nl *nl, uint16_t type, uint8_t family,
                                  uint32_t priority, uint32_t table);

// "default dev DEVICE", by its interface index: taken as addressed to this machine, whatever the
// address is.
struct nlmsghdr *guest_route_local(struct guest_nl *nl, uint8_t family, uint32_t table,
                                   uint32_t device);

// The same, to be sent out there.
struct nlmsghdr *guest_route_out(struct guest_nl *nl, uint8_t family, uint32_t table,
                                 uint32_t device);

#endif
