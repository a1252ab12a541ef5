// SPDX-License-Identifier: Apache-2.0
// Between addresses as values (ipaddr.h) and as the socket calls have them.
#ifndef BRYO_NET_IPSOCK_H
#define BRYO_NET_IPSOCK_H

#include "internal/base/ipaddr.h"

#include <netinet/in.h>
#include <stdint.h>
#include <sys/socket.h>

union ipsock {
    struct sockaddr sa;
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
};

// Returns the length for bind(2) and connect(2); 0 for IP_NONE.
socklen_t ipsock_set(union ipsock *s, const struct ip_addr *addr, uint16_t port);

// An IPv4 address in IPv6's clothes (::ffff:a.b.c.d) comes out as IPv4. ret_port may be NULL.
struct ip_addr ipsock_addr(const union ipsock *s, uint16_t *ret_port);

#endif
