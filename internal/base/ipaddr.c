// SPDX-License-Identifier: Apache-2.0
#include "internal/base/ipaddr.h"

#include "internal/base/parse.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static unsigned width(uint8_t family)
{
    return family == IP_V4 ? 32 : 128;
}

struct ip_addr ip_from_v4(const void *bytes)
{
    struct ip_addr a = {.family = IP_V4};
    memcpy(a.bytes, bytes, 4);
    return a;
}

struct ip_addr ip_from_v6(const void *bytes)
{
    struct ip_addr a = {.family = IP_V6};
    memcpy(a.bytes, bytes, 16);
    return a;
}

int ip_parse(const char *s, size_t n, struct ip_addr *ret)
{
    char text[IP_TEXT_MAX];
    struct ip_addr a = {0};
    if (n == 0 || n >= sizeof(text) || memchr(s, '\0', n))
        return -EINVAL;
    memcpy(text, s, n);
    text[n] = '\0';
    if (inet_pton(AF_INET, text, a.bytes) == 1)
        a.family = IP_V4;
    else if (inet_pton(AF_INET6, text, a.bytes) == 1)
        a.family = IP_V6;
    else
        return -EINVAL;
    *ret = a;
    return 0;
}

static void cut(struct ip_addr *a, unsigned prefix)
{
    for (unsigned i = 0; i < sizeof(a->bytes); i++) {
        unsigned kept = prefix > i * 8 ? prefix - i * 8 : 0;
        if (kept < 8)
            a->bytes[i] &= (uint8_t)(0xff00U >> kept);
    }
}

int ip_net_parse(const char *s, size_t n, struct ip_net *ret, struct ip_addr *ret_host)
{
    const char *slash = memchr(s, '/', n);
    size_t addr_len = slash ? (size_t)(slash - s) : n;
    struct ip_net net = {0};
    uint64_t prefix = 0;
    int r = ip_parse(s, addr_len, &net.addr);
    if (r < 0)
        return r;
    prefix = width(net.addr.family);
    if (slash && parse_u64n(slash + 1, n - addr_len - 1, 0, prefix, &prefix) < 0)
        return -EINVAL;
    if (ret_host)
        *ret_host = net.addr;
    net.prefix = (uint8_t)prefix;
    cut(&net.addr, net.prefix);
    *ret = net;
    return 0;
}

const char *ip_format(const struct ip_addr *a, char out[static IP_TEXT_MAX])
{
    out[0] = '\0';
    if (a->family != IP_NONE)
        (void)inet_ntop(a->family == IP_V4 ? AF_INET : AF_INET6, a->bytes, out, IP_TEXT_MAX);
    return out;
}

const char *ip_net_format(const struct ip_net *net, char out[static IP_NET_TEXT_MAX])
{
    ip_format(&net->addr, out);
    size_t n = strlen(out);
    if (net->addr.family != IP_NONE && net->prefix < width(net->addr.family))
        (void)snprintf(out + n, IP_NET_TEXT_MAX - n, "/%u", net->prefix);
    return out;
}

bool ip_equal(const struct ip_addr *a, const struct ip_addr *b)
{
    return a->family == b->family && memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

bool ip_in_net(const struct ip_addr *a, const struct ip_net *net)
{
    if (a->family != net->addr.family || a->family == IP_NONE)
        return false;
    struct ip_addr masked = *a;
    cut(&masked, net->prefix);
    return ip_equal(&masked, &net->addr);
}

struct ip_net ip_single(const struct ip_addr *a)
{
    return (struct ip_net){.addr = *a, .prefix = (uint8_t)width(a->family)};
}
