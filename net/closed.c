// SPDX-License-Identifier: Apache-2.0
#include "net/closed.h"

#include <string.h>

struct row {
    struct ip_net net;
    const char *what;
};

#define V4(prefix, ...)                \
    {                                  \
        {IP_V4, {__VA_ARGS__}}, prefix \
    }
#define V6(prefix, ...)                \
    {                                  \
        {IP_V6, {__VA_ARGS__}}, prefix \
    }

static const char loopback[] = "the machine's loopback";
static const char unspecified[] = "the unspecified address, which is the machine itself";
static const char link_local[] = "link-local";
static const char metadata[] = "a cloud's metadata service";
static const char multicast[] = "multicast";
static const char mapped[] = "an IPv4 address in IPv6 form";

// The first that holds the address says what it is.
static const struct row rows[] = {
    {V4(8, 0), unspecified},
    {V4(8, 127), loopback},
    {V4(32, 169, 254, 169, 254), metadata},
    {V4(16, 169, 254), link_local},
    {V4(32, 100, 100, 100, 200), metadata},
    {V4(32, 192, 0, 0, 192), metadata},
    {V4(32, 168, 63, 129, 16), metadata},
    {V4(4, 224), multicast},
    {V4(32, 255, 255, 255, 255), "broadcast"},
    {V6(128, 0), unspecified},
    {V6(128, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1), loopback},
    {V6(96, 0), mapped},
    {V6(96, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff), mapped},
    {V6(96, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff), mapped},
    {V6(10, 0xfe, 0x80), link_local},
    {V6(128, 0xfd, 0x00, 0x0e, 0xc2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x02, 0x54), metadata},
    {V6(128, 0xfd, 0x20, 0x00, 0xce, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x02, 0x54), metadata},
    {V6(8, 0xff), multicast},
};

// Where an IPv4 address stands in IPv6 ones that are translated on the way.
static const struct {
    struct ip_net net;
    uint8_t at;
    uint8_t flip; // Teredo writes it inverted (RFC 4380, section 4)
} translated[] = {
    {V6(96, 0x00, 0x64, 0xff, 0x9b), 12, 0},             // RFC 6052
    {V6(48, 0x00, 0x64, 0xff, 0x9b, 0x00, 0x01), 12, 0}, // RFC 8215, with a prefix of 96 bits
    {V6(16, 0x20, 0x02), 2, 0},                          // RFC 3056
    {V6(32, 0x20, 0x01), 12, 0xff},
};

bool closed_embedded(const struct ip_addr *a, struct ip_addr *ret)
{
    for (size_t i = 0; i < sizeof(translated) / sizeof(translated[0]); i++) {
        if (!ip_in_net(a, &translated[i].net))
            continue;
        *ret = ip_from_v4(a->bytes + translated[i].at);
        for (int k = 0; k < 4; k++)
            ret->bytes[k] ^= translated[i].flip;
        return true;
    }
    return false;
}

static const char *why(const struct ip_addr *a)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (ip_in_net(a, &rows[i].net))
            return rows[i].what;
    return NULL;
}

const char *closed_why(const struct ip_addr *a)
{
    struct ip_addr inner;
    if (a->family == IP_NONE)
        return unspecified;
    return closed_embedded(a, &inner) ? why(&inner) : why(a);
}
