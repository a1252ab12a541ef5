// SPDX-License-Identifier: Apache-2.0
// The inner half of the fast path: the job's network namespace is told to hand the job's TCP to
// listeners that bryo-net holds. Guest side, but before the job's first program: the caller is a
// process of bryo's own that has joined the job's user and network namespaces.
#ifndef BRYO_NET_GUEST_TPROXY_H
#define BRYO_NET_GUEST_TPROXY_H

#include <stdbool.h>

struct err;
struct ip_addr;

struct guest_tproxy {
    int listen4; // IP_TRANSPARENT, non-blocking, listening; owned by the struct's user
    int listen6; // -1 where the namespace has no IPv6
};

struct guest_tproxy_config {
    int tap;                    // interface index; it is up and has its addresses:
    const struct ip_addr *job4; // these
    const struct ip_addr *job6; // NULL: no IPv6
    bool all_by_tap;            // shape.h: what the accepted sockets send leaves by the tap too,
    const struct ip_addr *gateway4; // by way of these neighbours
    const struct ip_addr *gateway6; // IP_NONE or NULL: no IPv6
};

// Rules (guest_nft.h), the routes that they lead to, and the listeners. Accepted sockets come with
// TCP_NODELAY and keep-alive set. Returns 0 or -errno with *err filled; nothing of it then remains
// but routes that nothing uses, and TCP can be carried by libslirp.
int guest_tproxy_setup(const struct guest_tproxy_config *config, struct guest_tproxy *ret,
                       struct err *err);

// A TCP socket in the job's network namespace for one connection to a server of the job: it may be
// bound to an address that is not the job's (IP_TRANSPARENT), and the answers of the server find
// it. family: AF_INET or AF_INET6. Returns the descriptor (non-blocking) or -errno.
int guest_tproxy_socket(int family, bool all_by_tap);

#endif
