// SPDX-License-Identifier: Apache-2.0
#include "net/frame.h"

#include "net/frame_build.h"

#include <net/ethernet.h>
#include <netinet/in.h>
#include <string.h>

enum { IP4_LEN = 20, IP6_LEN = 40, FRAG6_LEN = 8, TCP_LEN = 20, UDP_LEN = 8, ICMP_LEN = 8 };

// Beyond this a checksum is left to whoever copies the data anyway.
#define CHECKED_MAX 2048U

static uint16_t be16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t be32(const uint8_t *p)
{
    return (uint32_t)be16(p) << 16 | be16(p + 2);
}

static void drop(struct frame *f, const char *reason)
{
    f->class = FRAME_DROP;
    f->reason = reason;
}

static void parse_arp(const struct frame_rules *rules, struct frame *f)
{
    static const uint8_t head[] = {0, 1, 8, 0, 6, 4, 0}; // Ethernet, IPv4, their lengths
    const uint8_t *arp = f->bytes + FRAME_ETH_LEN;
    static const uint8_t probe[4] = {0};
    if (f->len < FRAME_ETH_LEN + 28 || memcmp(arp, head, sizeof(head)) != 0 ||
        (arp[7] != 1 && arp[7] != 2))
        return drop(f, "malformed ARP");
    if (memcmp(arp + 14, rules->job4.bytes, 4) != 0 && memcmp(arp + 14, probe, 4) != 0)
        return drop(f, "ARP for an address that is not the job's");
    f->len = FRAME_ETH_LEN + 28;
    f->class = FRAME_ARP;
}

// The sum of the pseudo header (RFC 9293, RFC 8200) and what follows the IP header.
static uint16_t l4_sum(const struct frame *f)
{
    size_t n = f->src.family == IP_V4 ? 4 : 16;
    size_t len = f->len - f->l4;
    uint32_t sum = frame_sum(f->src.bytes, n, 0);
    sum = frame_sum(f->dst.bytes, n, sum);
    const uint8_t tail[4] = {0, f->ip_proto, (uint8_t)(len >> 8), (uint8_t)len};
    sum = frame_sum(tail, sizeof(tail), sum);
    return frame_sum_end(frame_sum(f->bytes + f->l4, len, sum));
}

static bool sum_is_wrong(const struct frame *f)
{
    return f->len - f->l4 <= CHECKED_MAX && l4_sum(f) != 0;
}

// Urgent data is nothing that a job may need: what is sent as such arrives in order, in line.
static void clear_urgent(uint8_t *tcp)
{
    uint16_t flags = be16(tcp + 12);
    uint16_t pointer = be16(tcp + 18);
    uint16_t cleared = (uint16_t)(flags & ~FRAME_URG);
    if (flags == cleared && pointer == 0)
        return;
    // RFC 1624: HC' = ~(~HC + ~m + m'), for both words.
    uint32_t sum =
        (uint32_t)(uint16_t)~be16(tcp + 16) + (uint16_t)~flags + cleared + (uint16_t)~pointer;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    sum = (uint16_t)~sum;
    tcp[13] = (uint8_t)cleared;
    tcp[16] = (uint8_t)(sum >> 8);
    tcp[17] = (uint8_t)sum;
    tcp[18] = tcp[19] = 0;
}

static bool tcp_options_are_odd(const uint8_t *o, size_t n)
{
    size_t i = 0;
    while (i < n && o[i] != 0) { // 0 ends the list
        if (o[i] == 1) {
            i++;
            continue;
        }
        if (i + 2 > n || o[i + 1] < 2 || i + o[i + 1] > n)
            return true;
        i += o[i + 1];
    }
    return false;
}

static void parse_tcp(struct frame *f)
{
    uint8_t *tcp = f->bytes + f->l4;
    size_t len = f->len - f->l4;
    if (len < TCP_LEN)
        return drop(f, "TCP header cut off");
    size_t header = (size_t)(tcp[12] >> 4) * 4;
    if (header < TCP_LEN || header > len)
        return drop(f, "TCP header of a wrong length");
    if (sum_is_wrong(f))
        return drop(f, "TCP checksum");
    f->sport = be16(tcp);
    f->dport = be16(tcp + 2);
    uint8_t main_flags = tcp[13] & (FRAME_SYN | FRAME_FIN | FRAME_RST);
    if (f->sport == 0 || f->dport == 0)
        return drop(f, "TCP port 0");
    if ((tcp[13] & 0x3f) == 0 || (main_flags & (main_flags - 1)) != 0)
        return drop(f, "TCP flags that make no sense");
    if (tcp_options_are_odd(tcp + TCP_LEN, header - TCP_LEN))
        return drop(f, "TCP options");
    clear_urgent(tcp);
    f->tcp_flags = tcp[13] & 0x3f;
    f->payload = f->l4 + header;
    f->class = FRAME_TCP;
}

static void parse_udp(struct frame *f)
{
    const uint8_t *udp = f->bytes + f->l4;
    size_t len = f->len - f->l4;
    if (len < UDP_LEN || be16(udp + 4) != len)
        return drop(f, "UDP length");
    bool no_sum = be16(udp + 6) == 0;
    if (no_sum ? f->src.family == IP_V6 : sum_is_wrong(f))
        return drop(f, "UDP checksum");
    f->sport = be16(udp);
    f->dport = be16(udp + 2);
    if (f->sport == 0 || f->dport == 0)
        return drop(f, "UDP port 0");
    f->payload = f->l4 + UDP_LEN;
    f->class = FRAME_UDP;
}

static void parse_icmp4(struct frame *f)
{
    const uint8_t *icmp = f->bytes + f->l4;
    size_t len = f->len - f->l4;
    if (len < ICMP_LEN)
        return drop(f, "ICMP header cut off");
    if (icmp[0] != 8 || icmp[1] != 0)
        return drop(f, "ICMP other than an echo request");
    if (len <= CHECKED_MAX && frame_sum_end(frame_sum(icmp, len, 0)) != 0)
        return drop(f, "ICMP checksum");
    f->sport = be16(icmp + 4);
    f->payload = f->l4 + ICMP_LEN;
    f->class = FRAME_ECHO;
}

// RFC 4861, 4.6: type, length in units of 8 bytes.
static bool ndp_options_are_odd(const uint8_t *o, size_t n)
{
    for (size_t i = 0; i < n; i += (size_t)o[i + 1] * 8)
        if (i + 8 > n || o[i + 1] == 0 || i + (size_t)o[i + 1] * 8 > n)
            return true;
    return false;
}

static void parse_icmp6(struct frame *f)
{
    const uint8_t *icmp = f->bytes + f->l4;
    size_t len = f->len - f->l4;
    if (len < ICMP_LEN || icmp[1] != 0)
        return drop(f, "ICMPv6 header");
    if (sum_is_wrong(f))
        return drop(f, "ICMPv6 checksum");
    if (icmp[0] == 128) {
        f->sport = be16(icmp + 4);
        f->payload = f->l4 + ICMP_LEN;
        f->class = FRAME_ECHO;
        return;
    }
    // Router solicitation, neighbour solicitation, neighbour advertisement.
    size_t head = icmp[0] == 133 ? 8 : 24;
    if (icmp[0] != 133 && icmp[0] != 135 && icmp[0] != 136)
        return drop(f, "ICMPv6 other than echo and neighbour discovery");
    if (f->bytes[f->l3 + 7] != 255 || len < head || ndp_options_are_odd(icmp + head, len - head))
        return drop(f, "malformed neighbour discovery");
    f->payload = f->l4 + head;
    f->class = FRAME_NDP;
}

static void parse_l4(struct frame *f)
{
    switch (f->ip_proto) {
    case IPPROTO_TCP:
        return parse_tcp(f);
    case IPPROTO_UDP:
        return parse_udp(f);
    case IPPROTO_ICMP:
        return f->src.family == IP_V4 ? parse_icmp4(f) : drop(f, "protocol");
    case IPPROTO_ICMPV6:
        return f->src.family == IP_V6 ? parse_icmp6(f) : drop(f, "protocol");
    default:
        return drop(f, "protocol other than TCP, UDP and ICMP");
    }
}

static void parse_fragment(struct frame *f)
{
    size_t n = f->len - f->l4;
    f->payload = f->l4;
    f->sport = f->dport = 0;
    if (n == 0 || (f->frag_more && n % 8 != 0) || f->frag_off + n > 65535)
        return drop(f, "malformed fragment");
    f->class = FRAME_FRAGMENT;
}

static void parse_ip4(const struct frame_rules *rules, struct frame *f)
{
    const uint8_t *ip = f->bytes + f->l3;
    size_t have = f->len - f->l3;
    if (have < IP4_LEN || ip[0] >> 4 != 4)
        return drop(f, "IPv4 header");
    if (ip[0] != 0x45)
        return drop(f, "IPv4 options");
    size_t total = be16(ip + 2);
    if (total < IP4_LEN || total > have)
        return drop(f, "IPv4 length");
    if (frame_sum_end(frame_sum(ip, IP4_LEN, 0)) != 0)
        return drop(f, "IPv4 checksum");
    f->len = f->l3 + total;
    f->l4 = f->l3 + IP4_LEN;
    f->ip_proto = ip[9];
    f->src = ip_from_v4(ip + 12);
    f->dst = ip_from_v4(ip + 16);
    if (!ip_equal(&f->src, &rules->job4))
        return drop(f, "source address that is not the job's");
    if (f->dst.bytes[0] >= 224)
        return drop(f, "multicast or broadcast");
    uint16_t frag = be16(ip + 6);
    if (frag & 0x8000)
        return drop(f, "IPv4 flags");
    f->frag_more = frag & 0x2000;
    f->frag_off = (uint16_t)((frag & 0x1fff) * 8U);
    f->frag_id = be16(ip + 4);
    if (f->frag_more || f->frag_off)
        return parse_fragment(f);
    parse_l4(f);
}

static bool is_link_scope(const struct ip_addr *a)
{
    return (a->bytes[0] == 0xfe && (a->bytes[1] & 0xc0) == 0x80) || a->bytes[0] == 0xff;
}

// Neighbour discovery also comes from "::" and from link-local addresses, and goes to groups.
static void check_ip6_addresses(const struct frame_rules *rules, struct frame *f)
{
    static const struct ip_addr any = {.family = IP_V6};
    bool own = ip_equal(&f->src, &rules->job6);
    if (f->class == FRAME_DROP || (own && f->dst.bytes[0] != 0xff))
        return;
    if (f->class != FRAME_NDP)
        return drop(f, own ? "multicast" : "source address that is not the job's");
    if (!own && !ip_equal(&f->src, &any) && (f->src.bytes[0] == 0xff || !is_link_scope(&f->src)))
        return drop(f, "source address that is not the job's");
}

static void parse_ip6(const struct frame_rules *rules, struct frame *f)
{
    const uint8_t *ip = f->bytes + f->l3;
    size_t have = f->len - f->l3;
    if (rules->job6.family != IP_V6)
        return drop(f, "IPv6, which the job does not have");
    if (have < IP6_LEN || ip[0] >> 4 != 6)
        return drop(f, "IPv6 header");
    size_t n = be16(ip + 4);
    if (n == 0 || n > have - IP6_LEN)
        return drop(f, "IPv6 length");
    f->len = f->l3 + IP6_LEN + n;
    f->l4 = f->l3 + IP6_LEN;
    f->ip_proto = ip[6];
    f->src = ip_from_v6(ip + 8);
    f->dst = ip_from_v6(ip + 24);
    if (f->ip_proto == IPPROTO_FRAGMENT) {
        const uint8_t *h = f->bytes + f->l4;
        if (n < FRAG6_LEN)
            return drop(f, "fragment header cut off");
        f->ip_proto = h[0];
        f->frag_off = be16(h + 2) & 0xfff8;
        f->frag_more = h[3] & 1;
        f->frag_id = be32(h + 4);
        f->l4 += FRAG6_LEN;
        if (f->ip_proto != IPPROTO_TCP && f->ip_proto != IPPROTO_UDP &&
            f->ip_proto != IPPROTO_ICMPV6)
            return drop(f, "protocol other than TCP, UDP and ICMP");
        parse_fragment(f);
    } else {
        parse_l4(f);
    }
    check_ip6_addresses(rules, f);
}

void frame_parse(uint8_t *bytes, size_t len, const struct frame_rules *rules, struct frame *ret)
{
    *ret = (struct frame){.bytes = bytes, .len = len, .l3 = FRAME_ETH_LEN};
    if (len < FRAME_ETH_LEN)
        return drop(ret, "Ethernet header cut off");
    if (len > FRAME_MAX)
        return drop(ret, "too long");
    switch (be16(bytes + 12)) {
    case ETHERTYPE_ARP:
        return parse_arp(rules, ret);
    case ETHERTYPE_IP:
        return parse_ip4(rules, ret);
    case ETHERTYPE_IPV6:
        return parse_ip6(rules, ret);
    default:
        return drop(ret, "neither IP nor ARP");
    }
}

bool frame_is_tcp_to(const uint8_t *bytes, size_t len, const struct frame_rules *rules)
{
    const uint8_t *ip = bytes + FRAME_ETH_LEN;
    if (len < FRAME_ETH_LEN + 20)
        return false;
    if (ip[0] >> 4 == 4)
        return ip[9] == IPPROTO_TCP && memcmp(ip + 16, rules->job4.bytes, 4) == 0;
    return ip[0] >> 4 == 6 && len >= FRAME_ETH_LEN + 40 && ip[6] == IPPROTO_TCP &&
           rules->job6.family == IP_V6 && memcmp(ip + 24, rules->job6.bytes, 16) == 0;
}
