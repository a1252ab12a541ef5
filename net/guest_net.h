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

// What was made, on its way to bryo-net: sent as one datagram with the descriptors attached, in
// this order.
struct guest_net_made {
    bool fast;     // netfilter could be set up
    char why[256]; // !fast, though it was wanted: the reason
    size_t n_fds;  // descriptors: the tap, then the fast path's (listener v4, listener v6,
                   // maker's socket)
};

// lo up; tap0 with addresses, routes, neighbours and MTU; then guest_fast_setup() where it is
// wanted. Fills made and fds. What is not possible without the fast path is no error.
int guest_net_setup(const struct netconfig *config, struct guest_net_made *made,
                    int fds[GUEST_NET_FDS], struct err *err);

// --- what the fast path provides (guest_fast.h)
// ----------------------------------------------------- int guest_fast_setup(const struct netconfig
// *config, int fds[], size_t *n_fds, struct err *err):
//     nftables rules and listeners, called after the tap is up. A failure is not the job's: its
//     text becomes made->why.
// Its inner process may stay as a maker of sockets: int guest_maker_main(int sock), called after
//     everything was sent, without capabilities beyond what it names.

#endif
