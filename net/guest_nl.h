// SPDX-License-Identifier: Apache-2.0
// Netlink messages sent together, each acknowledged (netlink(7), by libmnl). Guest side.
#ifndef BRYO_NET_GUEST_NL_H
#define BRYO_NET_GUEST_NL_H

#include <stddef.h>
#include <stdint.h>

struct nlmsghdr;

// Messages laid one behind the other; zeroed before use. What is put into it must fit.
struct guest_nl {
    _Alignas(8) char bytes[8192];
    size_t len;
    uint32_t seq;    // of the last message
    unsigned n_acks; // messages that ask for an answer
};

// Starts a message; attributes are put into it before the next one is started. The header that
// follows (struct rtmsg, struct nfgenmsg, ...) is extra bytes long, zeroed.
struct nlmsghdr *guest_nl_put(struct guest_nl *nl, uint16_t type, uint16_t flags, size_t extra);
void *guest_nl_extra(struct nlmsghdr *msg);

// Ends the last message, sends all in one datagram and reads the answers. 0, or -errno of the first
// message that the kernel refused (or of the socket).
int guest_nl_talk(struct guest_nl *nl, int protocol);

#endif
