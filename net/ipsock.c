// SPDX-License-Identifier: Apache-2.0
#include "net/ipsock.h"

#include <string.h>

socklen_t ipsock_set(union ipsock *s, const struct ip_addr *addr, uint16_t port)
{
    memset(s, 0, sizeof(*s));
    if (addr->family == IP_V4) {
        s->in.sin_family = AF_INET;
        s->in.sin_port = htons(port);
        memcpy(&s->in.sin_addr, addr->bytes, 4);
        return sizeof(s->in);
    }
    if (addr->family == IP_V6) {
        s->in6.sin6_family = AF_INET6;
        s->in6.sin6_port = htons(port);
        memcpy(&s->in6.sin6_addr, addr->bytes, 16);
        return sizeof(s->in6);
    }
    return 0;
}

struct ip_addr ipsock_addr(const union ipsock *s, uint16_t *ret_port)
{
    if (ret_port)
        *ret_port = ntohs(s->sa.sa_family == AF_INET ? s->in.sin_port : s->in6.sin6_port);
    if (s->sa.sa_family == AF_INET)
        return ip_from_v4(&s->in.sin_addr);
    if (s->sa.sa_family != AF_INET6)
        return (struct ip_addr){.family = IP_NONE};
    if (IN6_IS_ADDR_V4MAPPED(&s->in6.sin6_addr))
        return ip_from_v4(s->in6.sin6_addr.s6_addr + 12);
    return ip_from_v6(&s->in6.sin6_addr);
}
