// SPDX-License-Identifier: Apache-2.0
#include "net/frame_peek.h"

#include "net/frame.h"

#include <net/ethernet.h>
#include <netinet/in.h>

enum { ECHO_REPLY4 = 0, ECHO_REPLY6 = 129, ROUTER_ADVERTISEMENT = 134, REDIRECT6 = 137 };

static uint16_t be16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static void peek_l4(const uint8_t *l4, size_t n, uint8_t proto, struct frame_peek *p)
{
    p->key.sport = n >= 4 ? be16(l4 + 2) : 0;
    p->key.dport = n >= 4 ? be16(l4) : 0;
    if (proto == IPPROTO_TCP && n >= 20) {
        size_t header = (size_t)(l4[12] >> 4) * 4;
        p->key.proto = NET_PROTO_TCP;
        p->tcp_flags = l4[13] & 0x3f;
        p->payload_len = header < n ? n - header : 0;
        p->is_flow = true;
    } else if (proto == IPPROTO_UDP && n >= 8) {
        p->key.proto = NET_PROTO_UDP;
        p->payload_len = n - 8;
        p->is_flow = true;
    } else if ((proto == IPPROTO_ICMP && n >= 8 && l4[0] == ECHO_REPLY4) ||
               (proto == IPPROTO_ICMPV6 && n >= 8 && l4[0] == ECHO_REPLY6)) {
        p->key.proto = NET_PROTO_ICMP;
        p->key.sport = be16(l4 + 4);
        p->key.dport = 0;
        p->payload_len = n - 8;
        p->is_flow = true;
    }
}

bool frame_peek(const uint8_t *bytes, size_t len, struct frame_peek *ret)
{
    *ret = (struct frame_peek){0};
    const uint8_t *ip = bytes + FRAME_ETH_LEN;
    uint16_t type = len >= FRAME_ETH_LEN ? be16(bytes + 12) : 0;
    if (type == ETHERTYPE_IP && len >= FRAME_ETH_LEN + 20) {
        size_t header = (size_t)(ip[0] & 15) * 4;
        size_t total = be16(ip + 2);
        bool whole = (be16(ip + 6) & 0x3fff) == 0;
        ret->key.src = ip_from_v4(ip + 16);
        ret->key.dst = ip_from_v4(ip + 12);
        if (whole && total >= header && total <= len - FRAME_ETH_LEN)
            peek_l4(ip + header, total - header, ip[9], ret);
    } else if (type == ETHERTYPE_IPV6 && len >= FRAME_ETH_LEN + 40) {
        size_t n = be16(ip + 4);
        ret->key.src = ip_from_v6(ip + 24);
        ret->key.dst = ip_from_v6(ip + 8);
        if (n > len - FRAME_ETH_LEN - 40)
            n = len - FRAME_ETH_LEN - 40;
        if (ip[6] == IPPROTO_ICMPV6 && n >= 1 &&
            (ip[40] == ROUTER_ADVERTISEMENT || ip[40] == REDIRECT6))
            return false;
        peek_l4(ip + 40, n, ip[6], ret);
    }
    return true;
}
