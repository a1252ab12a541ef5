// SPDX-License-Identifier: Apache-2.0
// One Ethernet frame that a job sent, taken apart and checked. Pure.
//
// What passes is what an ordinary kernel sends: ARP, and IPv4 or IPv6 with TCP, UDP, ICMP echo or
// neighbour discovery, from the job's own address, with lengths that agree with each other and no
// IPv4 options. Everything behind this (libslirp, the fast path, DNS) relies on what the struct
// says, and no parser behind it sees a frame that was not looked at here.
#ifndef BRYO_NET_FRAME_H
#define BRYO_NET_FRAME_H

#include "internal/base/ipaddr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FRAME_ETH_LEN 14
// An Ethernet header and the largest IP packet: what a reassembled datagram may come to.
#define FRAME_MAX (FRAME_ETH_LEN + 40 + 65535)

enum frame_tcp_flags {
    FRAME_FIN = 0x01,
    FRAME_SYN = 0x02,
    FRAME_RST = 0x04,
    FRAME_PSH = 0x08,
    FRAME_ACK = 0x10,
    FRAME_URG = 0x20,
};

// What to do with a frame, and why.
enum frame_class {
    FRAME_ARP,      // well-formed, IPv4 over Ethernet
    FRAME_NDP,      // neighbour or router solicitation, neighbour advertisement (RFC 4861)
    FRAME_FRAGMENT, // goes to reassembly (reass.h), and comes back as one of the others
    FRAME_TCP,
    FRAME_UDP,
    FRAME_ECHO, // echo request, ICMP or ICMPv6
    FRAME_DROP, // reason says why
};

struct frame {
    uint8_t *bytes; // from the Ethernet header on; the caller's, which may be changed (URG)
    size_t len;     // what IP says its packet has, and the Ethernet header: padding is cut off
    enum frame_class class;
    const char *reason; // FRAME_DROP: a static string; else NULL

    // Of IP packets; offsets count from bytes.
    size_t l3;
    size_t l4;        // TCP, UDP or ICMP header; FRAME_FRAGMENT of IPv6: what the fragment carries
    size_t payload;   // behind that header
    uint8_t ip_proto; // IPPROTO_TCP, _UDP, _ICMP, _ICMPV6
    struct ip_addr src; // the job's own
    struct ip_addr dst;
    uint16_t sport; // host order; FRAME_ECHO: the identifier
    uint16_t dport; // host order; FRAME_ECHO: 0
    uint8_t tcp_flags;

    // FRAME_FRAGMENT.
    uint32_t frag_id;
    uint16_t frag_off; // bytes
    bool frag_more;
};

// The addresses that a job may send from.
struct frame_rules {
    struct ip_addr job4;
    struct ip_addr job6; // IP_NONE: no IPv6
};

// bytes: len of them, as read from the tap (IFF_NO_PI, no vnet header). Always fills *ret. The
// urgent flag of TCP is cleared and the pointer set to 0 (checksum adjusted): urgent data becomes
// ordinary data, since the code that would read it cannot be trusted with it.
void frame_parse(uint8_t *bytes, size_t len, const struct frame_rules *rules, struct frame *ret);

// Whether it is TCP to the job itself: what sockets of bryo's inside the job's network send, while
// packets are shaped. Nothing more is checked.
bool frame_is_tcp_to(const uint8_t *bytes, size_t len, const struct frame_rules *rules);

static inline size_t frame_payload_len(const struct frame *f)
{
    return f->len - f->payload;
}

#endif
