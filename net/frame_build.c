// SPDX-License-Identifier: Apache-2.0
#include "net/frame_build.h"

#include <net/ethernet.h>
#include <netinet/in.h>
#include <string.h>

// Locally administered. The second is what libslirp calls itself by default: its gateway's address
// behind 52:55.
const uint8_t frame_job_mac[6] = {0x02, 'b', 'r', 'y', 'o', 0x01};
const uint8_t frame_our_mac[6] = {0x02, 'b', 'r', 'y', 'o', 0x02};
const uint8_t frame_back_mac[6] = {0x02, 'b', 'r', 'y', 'o', 0x03};

uint32_t frame_sum(const void *bytes, size_t n, uint32_t sum)
{
    const uint8_t *p = bytes;
    uint64_t wide = sum;
    while (n >= 4) {
        uint32_t word;
        memcpy(&word, p, 4);
        wide += word;
        p += 4;
        n -= 4;
    }
    if (n >= 2) {
        uint16_t word;
        memcpy(&word, p, 2);
        wide += word;
        p += 2;
        n -= 2;
    }
    if (n) {
        uint16_t word = 0;
        memcpy(&word, p, 1);
        wide += word;
    }
    while (wide >> 32)
        wide = (wide & 0xffffffff) + (wide >> 32);
    return (uint32_t)wide;
}

uint16_t frame_sum_end(uint32_t sum)
{
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

static void put16(uint8_t *p, size_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static void put32(uint8_t *p, uint32_t v)
{
    put16(p, v >> 16);
    put16(p + 2, v & 0xffff);
}

static uint32_t get32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

// Ethernet and IP headers for n bytes of proto; returns where those go.
static size_t put_heads(uint8_t *out, const struct ip_addr *src, const struct ip_addr *dst,
                        uint8_t proto, size_t n)
{
    bool v4 = src->family == IP_V4;
    uint8_t *ip = out + FRAME_ETH_LEN;
    memcpy(out, frame_job_mac, 6);
    memcpy(out + 6, frame_our_mac, 6);
    put16(out + 12, v4 ? ETHERTYPE_IP : ETHERTYPE_IPV6);
    if (!v4) {
        memset(ip, 0, 8);
        ip[0] = 0x60;
        put16(ip + 4, n);
        ip[6] = proto;
        ip[7] = 64;
        memcpy(ip + 8, src->bytes, 16);
        memcpy(ip + 24, dst->bytes, 16);
        return FRAME_ETH_LEN + 40;
    }
    memset(ip, 0, 12);
    ip[0] = 0x45;
    put16(ip + 2, 20 + n);
    ip[8] = 64;
    ip[9] = proto;
    memcpy(ip + 12, src->bytes, 4);
    memcpy(ip + 16, dst->bytes, 4);
    uint16_t sum = frame_sum_end(frame_sum(ip, 20, 0));
    memcpy(ip + 10, &sum, 2);
    return FRAME_ETH_LEN + 20;
}

// Fills the checksum field at l4 + off (0 so far) over n bytes at l4.
static void put_sum(uint8_t *l4, size_t n, size_t off, const struct ip_addr *src,
                    const struct ip_addr *dst, uint8_t proto)
{
    uint32_t sum = 0;
    if (proto != IPPROTO_ICMP) {
        const uint8_t tail[4] = {0, proto, (uint8_t)(n >> 8), (uint8_t)n};
        size_t len = src->family == IP_V4 ? 4 : 16;
        sum = frame_sum(src->bytes, len, sum);
        sum = frame_sum(dst->bytes, len, sum);
        sum = frame_sum(tail, sizeof(tail), sum);
    }
    uint16_t end = frame_sum_end(frame_sum(l4, n, sum));
    if (end == 0 && proto == IPPROTO_UDP)
        end = 0xffff; // 0 would say that there is none
    memcpy(l4 + off, &end, 2);
}

size_t frame_build_udp(uint8_t *out, const struct ip_addr *src, uint16_t sport,
                       const struct ip_addr *dst, uint16_t dport, const void *payload, size_t n)
{
    if (n > 65535 - 8 - 20)
        return 0;
    size_t l4 = put_heads(out, src, dst, IPPROTO_UDP, n + 8);
    put16(out + l4, sport);
    put16(out + l4 + 2, dport);
    put16(out + l4 + 4, n + 8);
    put16(out + l4 + 6, 0);
    memcpy(out + l4 + 8, payload, n);
    put_sum(out + l4, n + 8, 6, src, dst, IPPROTO_UDP);
    return l4 + 8 + n;
}

size_t frame_build_echo6(uint8_t *out, const struct ip_addr *src, const struct ip_addr *dst,
                         uint16_t id, const uint8_t *message, size_t n)
{
    if (n < 8 || n > 65535)
        return 0;
    size_t l4 = put_heads(out, src, dst, IPPROTO_ICMPV6, n);
    memcpy(out + l4, message, n);
    put16(out + l4 + 2, 0);
    put16(out + l4 + 4, id);
    put_sum(out + l4, n, 2, src, dst, IPPROTO_ICMPV6);
    return l4 + n;
}

size_t frame_build_rst(uint8_t *out, const struct frame *to)
{
    const uint8_t *in = to->bytes + to->l4;
    size_t l4 = put_heads(out, &to->dst, &to->src, IPPROTO_TCP, 20);
    uint8_t *tcp = out + l4;
    memset(tcp, 0, 20);
    put16(tcp, to->dport);
    put16(tcp + 2, to->sport);
    tcp[12] = 5 << 4;
    if (to->tcp_flags & FRAME_ACK) {
        memcpy(tcp + 4, in + 8, 4); // what it acknowledged is what comes next
        tcp[13] = FRAME_RST;
    } else {
        uint32_t len = (uint32_t)frame_payload_len(to);
        len += (to->tcp_flags & FRAME_SYN) ? 1 : 0;
        len += (to->tcp_flags & FRAME_FIN) ? 1 : 0;
        put32(tcp + 8, get32(in + 4) + len);
        tcp[13] = FRAME_RST | FRAME_ACK;
    }
    put_sum(tcp, 20, 16, &to->dst, &to->src, IPPROTO_TCP);
    return l4 + 20;
}

void frame_readdress(uint8_t *frame, size_t len, bool dst, const struct ip_addr *a, uint16_t port)
{
    uint8_t *ip = frame + FRAME_ETH_LEN;
    uint8_t *tcp = ip + 20;
    size_t n = len - FRAME_ETH_LEN - 20;
    memcpy(ip + (dst ? 16 : 12), a->bytes, 4);
    put16(tcp + (dst ? 2 : 0), port);
    ip[10] = ip[11] = tcp[16] = tcp[17] = 0;
    uint16_t sum = frame_sum_end(frame_sum(ip, 20, 0));
    memcpy(ip + 10, &sum, 2);
    struct ip_addr from = ip_from_v4(ip + 12);
    struct ip_addr to = ip_from_v4(ip + 16);
    put_sum(tcp, n, 16, &from, &to, IPPROTO_TCP);
}

size_t frame_build_unreach(uint8_t *out, const struct frame *to, enum frame_unreach why)
{
    static const uint8_t code4[] = {0, 1, 3, 13}; // RFC 792, RFC 1812
    static const uint8_t code6[] = {0, 3, 4, 1};  // RFC 4443
    bool v4 = to->src.family == IP_V4;
    uint8_t proto = v4 ? IPPROTO_ICMP : IPPROTO_ICMPV6;
    // As much of the packet as fits into 576 bytes (RFC 1812), or 1,280 (RFC 4443).
    size_t most = v4 ? 576 - 28 : 1280 - 48;
    size_t n = to->len - to->l3 < most ? to->len - to->l3 : most;
    size_t l4 = put_heads(out, &to->dst, &to->src, proto, 8 + n);
    memset(out + l4, 0, 8);
    out[l4] = v4 ? 3 : 1;
    out[l4 + 1] = v4 ? code4[why] : code6[why];
    memcpy(out + l4 + 8, to->bytes + to->l3, n);
    put_sum(out + l4, 8 + n, 2, &to->dst, &to->src, proto);
    return l4 + 8 + n;
}

// RFC 826: operation, then hardware and protocol address of sender and target.
static size_t build_arp(uint8_t *out, uint8_t op, const uint8_t *mac, const uint8_t *ip,
                        const uint8_t *to_mac, const uint8_t *to_ip)
{
    static const uint8_t head[] = {8, 6, 0, 1, 8, 0, 6, 4, 0};
    memcpy(out, to_mac, 6);
    memcpy(out + 6, mac, 6);
    memcpy(out + 12, head, sizeof(head));
    out[21] = op;
    memcpy(out + 22, mac, 6);
    memcpy(out + 28, ip, 4);
    memcpy(out + 32, to_mac, 6);
    memcpy(out + 38, to_ip, 4);
    return FRAME_ETH_LEN + 28;
}

// RFC 4861, 4.4, with the sender's hardware address. flags: its first byte.
static size_t build_advertisement(uint8_t *out, uint8_t flags, const uint8_t *mac,
                                  const struct ip_addr *target, const struct ip_addr *to)
{
    size_t l4 = put_heads(out, target, to, IPPROTO_ICMPV6, 32);
    uint8_t *icmp = out + l4;
    memset(icmp, 0, 32);
    out[FRAME_ETH_LEN + 7] = 255;
    icmp[0] = 136;
    icmp[4] = flags;
    memcpy(icmp + 8, target->bytes, 16);
    icmp[24] = 2;
    icmp[25] = 1;
    memcpy(icmp + 26, mac, 6);
    put_sum(icmp, 32, 2, target, to, IPPROTO_ICMPV6);
    return l4 + 32;
}

size_t frame_build_job4(uint8_t *out, const struct ip_addr *job4)
{
    return build_arp(out, 2, frame_job_mac, job4->bytes, frame_job_mac, job4->bytes);
}

size_t frame_build_job6(uint8_t *out, const struct ip_addr *job6, const struct ip_addr *gateway6)
{
    enum { OVERRIDE = 0x20 };
    size_t n = build_advertisement(out, OVERRIDE, frame_job_mac, job6, gateway6);
    memcpy(out, frame_our_mac, 6);
    memcpy(out + 6, frame_job_mac, 6);
    return n;
}

size_t frame_build_neighbour(uint8_t *out, const struct frame *to, const struct frame_rules *rules)
{
    enum { SOLICITED_OVERRIDE = 0x60 };
    if (to->class == FRAME_ARP) {
        const uint8_t *arp = to->bytes + FRAME_ETH_LEN;
        if (arp[7] != 1 || memcmp(arp + 24, rules->job4.bytes, 4) == 0)
            return 0;
        return build_arp(out, 2, frame_our_mac, arp + 24, arp + 8, arp + 14);
    }
    const uint8_t *icmp = to->bytes + to->l4;
    if (to->class != FRAME_NDP || icmp[0] != 135)
        return 0;
    struct ip_addr target = ip_from_v6(icmp + 8);
    // From "::" it is a question whether the job may take the address: it may, nobody objects.
    static const struct ip_addr any = {.family = IP_V6};
    if (ip_equal(&target, &rules->job6) || ip_equal(&to->src, &any))
        return 0;
    return build_advertisement(out, SOLICITED_OVERRIDE, frame_our_mac, &target, &to->src);
}
