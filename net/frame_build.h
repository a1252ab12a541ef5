// SPDX-License-Identifier: Apache-2.0
// Frames that bryo-net itself sends to the job, with all checksums. Pure.
#ifndef BRYO_NET_FRAME_BUILD_H
#define BRYO_NET_FRAME_BUILD_H

#include "net/frame.h"

#include <stddef.h>
#include <stdint.h>

// The two ends of the virtual wire.
extern const uint8_t frame_job_mac[6]; // set on the job's interface
extern const uint8_t frame_our_mac[6];
// The sender's address of what the job sent and gets back, on its way to a listener inside
// (fast.h).
extern const uint8_t frame_back_mac[6];

// RFC 1071, over n bytes added to sum. frame_sum_end() folds and complements; the result is stored
// as it is (memcpy), in network order.
uint32_t frame_sum(const void *bytes, size_t n, uint32_t sum);
uint16_t frame_sum_end(uint32_t sum);

// A UDP datagram to the job. Both addresses are of one family; at most 65,507 - 20 bytes of
// payload. out: FRAME_MAX bytes. Returns the length of the frame, 0 when it does not fit.
size_t frame_build_udp(uint8_t *out, const struct ip_addr *src, uint16_t sport,
                       const struct ip_addr *dst, uint16_t dport, const void *payload, size_t n);

// A whole ICMPv6 message of n bytes to the job, an echo reply, with another identifier. out:
// FRAME_MAX bytes. 0 when it does not fit.
size_t frame_build_echo6(uint8_t *out, const struct ip_addr *src, const struct ip_addr *dst,
                         uint16_t id, const uint8_t *message, size_t n);

// Answers FRAME_ARP or FRAME_NDP of the job's that asks who has an address: every one of the
// virtual network but the job's own is ours, so that a packet to one that is nobody's comes here
// and is refused, instead of waiting for an answer. out: 128 bytes. 0: it asks nothing of the kind.
size_t frame_build_neighbour(uint8_t *out, const struct frame *to, const struct frame_rules *rules);

// A neighbour advertisement for the job's own address: libslirp learns from it where the job is.
size_t frame_build_job6(uint8_t *out, const struct ip_addr *job6, const struct ip_addr *gateway6);

// The same by ARP.
size_t frame_build_job4(uint8_t *out, const struct ip_addr *job4);

// Answers a TCP frame of the job with RST (RFC 9293, 3.10.7.1), as a closed port does: connect(2)
// gives ECONNREFUSED. out: 128 bytes.
size_t frame_build_rst(uint8_t *out, const struct frame *to);

// Gives a TCP segment over IPv4 (whole, without IP options: checked, or libslirp's) another
// destination, or another source, checksums included.
void frame_readdress(uint8_t *frame, size_t len, bool dst, const struct ip_addr *a, uint16_t port);

// Answers a frame of the job with ICMP or ICMPv6 "destination unreachable". out: 1,500 bytes.
enum frame_unreach {
    FRAME_UNREACH_NET,
    FRAME_UNREACH_HOST,       // EHOSTUNREACH
    FRAME_UNREACH_PORT,       // ECONNREFUSED
    FRAME_UNREACH_PROHIBITED, // administratively: EHOSTUNREACH; ICMPv6: EACCES
};
size_t frame_build_unreach(uint8_t *out, const struct frame *to, enum frame_unreach why);

#endif
