// SPDX-License-Identifier: Apache-2.0
// The job's side of its network, made from outside: by a process that has joined the job's user and
// network namespaces and nothing else of it. Guest side.
#ifndef BRYO_NET_GUEST_NET_H
#define BRYO_NET_GUEST_NET_H

#include <stdbool.h>
#include <stddef.h>

struct err;
struct netconfig;

#define GUEST_NET_FDS  8
#define GUEST_TAP_NAME "tap0"

#define GUEST_MTU_FAST 1500 // larger ones only make TCP's first segments stall

// What was made, on its way to bryo-net: sent as one datagram with the descriptors attached, in
// this order.
struct guest_net_made {
    bool fast;     // netfilter could be set up
    char why[256]; // !fast, though it was wanted: the reason
    size_t n_fds;  // descriptors: the tap, then the fast path's (guest_fast.h, FAST_FD_*)
};

// lo up; tap0 with addresses, routes, neighbours and MTU; then guest_fast_setup() where it is
// wanted. Fills made and fds; *ret_maker: guest_maker_main()'s end, -1 where there is none to be.
// What is not possible without the fast path is no error.
int guest_net_setup(const struct netconfig *config, struct guest_net_made *made,
                    int fds[GUEST_NET_FDS], int *ret_maker, struct err *err);

#endif
