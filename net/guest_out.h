// SPDX-License-Identifier: Apache-2.0
// The way of the job's TCP to the fast path's listener, in the job's network namespace. Guest side.
//
// By the rules of guest_nft.h alone each segment would be routed twice: to the tap, then by its
// mark to "lo". Here the job's sockets are routed to "lo" from the start, and only the segment that
// opens a connection goes to the tap. What is routed to the tap all the same (a socket with a mark
// of its own, a kernel that refuses something of this) still goes the longer way.
//
// A socket takes the sizes of its device at connect(2): with "lo" there are no packets of 64 KiB
// but of 256, if the kernel has them (BIG TCP: IPv6 since Linux 5.19, IPv4 since 6.3). A segment
// stays as large as on an Ethernet: larger than the window of a small SO_RCVBUF, it would wait for
// the receiver's delayed acknowledgement.
//
// And it is repeated sooner. The job is told that it is connected just before its last segment of
// the handshake gets to the listener. When another processor sends data at once, the kernel may
// look for the listener's new socket in the moment when that takes the place of the request, find
// neither and drop the data: once in some 20,000 connections, which then stood still for 200 ms.
// The peer of such a socket is this machine, and 10 ms is long enough to wait for it.
#ifndef BRYO_NET_GUEST_OUT_H
#define BRYO_NET_GUEST_OUT_H

#include <stdint.h>

struct ip_addr;

// "bryq": the segment that opens a connection, on its way to the tap.
#define GUEST_OUT_MARK 0x62727971U

// Bytes. A route with this size of segment is told apart from all others that lead to "lo", whose
// own is larger.
#define GUEST_OUT_MSS 1460U

// The least time after which a segment is repeated, ms (rto_min of ip-route(8)).
#define GUEST_OUT_RTO_MIN 10U

// The group (ip-link(8)) that the tap is in: routes by any other device are the job's own and are
// left alone.
#define GUEST_OUT_TAP_GROUP 0x6272U

// tap: interface index, in that group; job4, job6: what the job's sockets are bound to, job6 NULL
// without IPv6. Only a matter of speed: returns 0, or -errno of what the kernel refused first.
int guest_out_apply(int tap, const struct ip_addr *job4, const struct ip_addr *job6);

#endif
