// SPDX-License-Identifier: Apache-2.0
// Packet captures as Wireshark and tcpdump read them (draft-ietf-opsawg-pcapng): one section, one
// Ethernet interface, nanoseconds. Pure.
#ifndef BRYO_NET_PCAPNG_H
#define BRYO_NET_PCAPNG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

void pcapng_head(struct buf *out, const char *interface);

// One frame. time_ns: since 1970. in: to the job.
void pcapng_packet(struct buf *out, uint64_t time_ns, bool in, const void *frame, size_t len);

#endif
