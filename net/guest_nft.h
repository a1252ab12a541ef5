// SPDX-License-Identifier: Apache-2.0
// The netfilter rules of the fast path, in the job's network namespace. Guest side.
//
// The job's TCP goes to "lo": by its own route (guest_out.h), or, if it would leave by the tap and
// opens no connection, with a mark that routes it there (guest_tproxy.h). The segment that opens
// one (SYN) leaves by the tap and meets the policy outside; if its route is the one to "lo",
// another mark leads it to the tap. When it comes back in through the tap (frame_back_mac is its
// sender then) it is handed to the listener, whatever its destination, by TPROXY. No address is
// rewritten and no connection is tracked.
//
// A connection is fresh from when its SYN comes back until the job's first ACK. The job's socket is
// connected as soon as it gets the listener's SYN-ACK, so that on another processor the job may
// send while the ACK is still turning the listener's request into a socket. The kernel takes the
// one out of its table before it puts the other in (until Linux 6.19), and what is looked up
// between the two belongs to nobody and is answered with a reset (over IPv6: for an IPv4 address
// that is not its own the kernel does not answer, and nothing is kept). That answer is a bare RST
// whose number is the one that the job's first ACK asked for; it is dropped for some seconds: the
// job's kernel sends again, and the second time finds the socket. A reset that bryo-net means
// (splice_reset()) has ACK set too; and the bare one of a socket that has gone has a later number,
// since bryo-net closes none without a word.
//
// Written with the kernel's own headers, as one nfnetlink transaction: it is there whole or not at
// all.
#ifndef BRYO_NET_GUEST_NFT_H
#define BRYO_NET_GUEST_NFT_H

#include <stdbool.h>
#include <stdint.h>

struct guest_nft {
    int tap;         // interface index
    uint16_t port;   // of the listener, IPv4 and IPv6 alike, host byte order
    uint32_t mark;   // what is routed to "lo"
    bool all_by_tap; // established connections use the tap too (shape.h): nothing is marked
};

// Needs CAP_NET_ADMIN in the user namespace that owns the caller's network namespace, and
// nf_tables with nft_tproxy (a route chain for the inet family: Linux 5.2). Returns 0 or -errno;
// most often -EOPNOTSUPP, -EPROTONOSUPPORT, -ENOENT or -EPERM where the kernel does not have them.
int guest_nft_apply(const struct guest_nft *nft);

#endif
