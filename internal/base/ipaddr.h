// SPDX-License-Identifier: Apache-2.0
// IP addresses of either family and networks of them, as values. Pure.
#ifndef BRYO_BASE_IPADDR_H
#define BRYO_BASE_IPADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { IP_NONE = 0, IP_V4 = 4, IP_V6 = 6 };

#define IP_TEXT_MAX     46 // with the NUL
#define IP_NET_TEXT_MAX 50

struct ip_addr {
    uint8_t family;    // IP_*
    uint8_t bytes[16]; // network order; IPv4: the first four, the rest is 0
};

struct ip_net {
    struct ip_addr addr; // the bits behind the prefix are 0
    uint8_t prefix;      // 0..32 or 0..128
};

static inline struct ip_addr ip_v4(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
    return (struct ip_addr){.family = IP_V4, .bytes = {a, b, c, d}};
}

// From 4 or 16 bytes in network order.
struct ip_addr ip_from_v4(const void *bytes);
struct ip_addr ip_from_v6(const void *bytes);

// n bytes of text: a dotted quad without leading zeros, or IPv6 (RFC 4291) without brackets and
// without a zone. 0 or -EINVAL; *ret is untouched on failure.
int ip_parse(const char *s, size_t n, struct ip_addr *ret);

// ADDRESS or ADDRESS/PREFIX. *ret_host (may be NULL) gets the address as it was written, with the
// bits behind the prefix. 0 or -EINVAL.
int ip_net_parse(const char *s, size_t n, struct ip_net *ret, struct ip_addr *ret_host);

// Both return out. RFC 5952 for IPv6; "" for IP_NONE.
const char *ip_format(const struct ip_addr *a, char out[static IP_TEXT_MAX]);
const char *ip_net_format(const struct ip_net *net, char out[static IP_NET_TEXT_MAX]);

bool ip_equal(const struct ip_addr *a, const struct ip_addr *b);
bool ip_in_net(const struct ip_addr *a, const struct ip_net *net); // false for another family

// The whole of an address: /32 or /128.
struct ip_net ip_single(const struct ip_addr *a);

#endif
