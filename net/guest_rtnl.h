// SPDX-License-Identifier: Apache-2.0
// rtnetlink(7) requests, gathered and sent as one datagram: the kernel answers only the last one,
// or whichever fails. Guest side.
#ifndef BRYO_NET_GUEST_RTNL_H
#define BRYO_NET_GUEST_RTNL_H

#include "internal/base/ipaddr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct nlmsghdr;

#define GUEST_RTNL_MAX 16 // requests

struct guest_rtnl {
    char bytes[4096] __attribute__((aligned(8)));
    size_t len;
    unsigned n;
    const char *what[GUEST_RTNL_MAX]; // each request in words: "cannot WHAT"
};

// The next request; its body is for the caller to add with libmnl (mnl_nlmsg_put_extra_header,
// mnl_attr_put). At most 256 bytes each.
struct nlmsghdr *guest_rtnl_add(struct guest_rtnl *r, const char *what, uint16_t type,
                                uint16_t flags);

// Sends all and waits for the kernel's word. err names the request that failed.
int guest_rtnl_commit(struct guest_rtnl *r, struct err *err);

void guest_rtnl_link_up(struct guest_rtnl *r, const char *what, int index);
// mac: 6 bytes. ipv6: link-local addresses are not made up by the kernel.
void guest_rtnl_tap_up(struct guest_rtnl *r, int index, uint32_t mtu, const uint8_t *mac,
                       bool ipv6);
void guest_rtnl_address(struct guest_rtnl *r, int index, const struct ip_addr *a, uint8_t prefix);
void guest_rtnl_default_route(struct guest_rtnl *r, int index, const struct ip_addr *gateway);
void guest_rtnl_neighbour(struct guest_rtnl *r, int index, const struct ip_addr *a,
                          const uint8_t *mac);

#endif
