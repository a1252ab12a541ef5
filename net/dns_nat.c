// SPDX-License-Identifier: Apache-2.0
#include "net/dns_nat.h"

#include "net/frame.h"

#include <string.h>

enum { IPV4_SUM = 10, IPV4_SRC = 12, IPV4_DST = 16, IPV4_LEN = 20 };
enum { TCP_SRC = 0, TCP_DST = 2, TCP_SUM = 16, TCP_LEN = 20, PROTO_TCP = 6, PORT_DNS = 53 };

static uint16_t get16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static void put16(uint8_t *p, unsigned v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

// RFC 1624, equation 3.
static void adjust(uint8_t *sum, uint16_t before, uint16_t after)
{
    uint32_t s = (uint16_t)~get16(sum) + (uint32_t)(uint16_t)~before + after;
    s = (s & 0xffff) + (s >> 16);
    s = (s & 0xffff) + (s >> 16);
    put16(sum, (uint16_t)~s);
}

// The address is part of both sums (of TCP's by its pseudo-header), the port of TCP's.
static void change(uint8_t *ip, uint8_t *tcp, size_t addr_at, const struct ip_addr *addr,
                   size_t port_at, uint16_t port)
{
    for (size_t i = 0; i < 4; i += 2) {
        uint16_t before = get16(ip + addr_at + i);
        uint16_t after = get16(addr->bytes + i);
        adjust(ip + IPV4_SUM, before, after);
        adjust(tcp + TCP_SUM, before, after);
    }
    memcpy(ip + addr_at, addr->bytes, 4);
    adjust(tcp + TCP_SUM, get16(tcp + port_at), port);
    put16(tcp + port_at, port);
}

void dns_nat_out(const struct dns_nat *nat, const struct frame *f)
{
    change(f->bytes + f->l3, f->bytes + f->l4, IPV4_DST, &nat->gateway, TCP_DST, nat->port);
}

bool dns_nat_in(const struct dns_nat *nat, uint8_t *bytes, size_t len)
{
    uint8_t *ip = bytes + FRAME_ETH_LEN;
    uint8_t *tcp = ip + IPV4_LEN;
    // libslirp writes no options.
    if (len < FRAME_ETH_LEN + IPV4_LEN + TCP_LEN || get16(bytes + 12) != 0x0800 || ip[0] != 0x45 ||
        ip[9] != PROTO_TCP || memcmp(ip + IPV4_SRC, nat->gateway.bytes, 4) != 0 ||
        get16(tcp + TCP_SRC) != nat->port)
        return false;
    change(ip, tcp, IPV4_SRC, &nat->resolver, TCP_SRC, PORT_DNS);
    return true;
}
