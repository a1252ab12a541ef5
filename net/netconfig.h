// SPDX-License-Identifier: Apache-2.0
// What bryo tells bryo-net, and the words between the three processes of a job's network.
//
//     bryo ----- NET_FD_CONTROL, SOCK_SEQPACKET ----- bryo-net (outside, confined)
//       |                                                 |  socketpair
//       +- the job's stager, then its PID 1 --- NET_FD_BIRTH --- bryo-net's inner process
//
//   1. bryo starts bryo-net before the job's namespaces exist and sends one NET_MSG_CONFIG.
//   bryo-net
//      forks its inner process, loads what it needs, confines itself, and waits.
//   2. The stager, right after unshare(2), sends the job's user and network namespaces over the
//   birth
//      socket (NET_BIRTH_HERE, two descriptors). The inner process joins both and makes everything
//      that has to be made inside: guest_net_setup() (guest_net.h).
//   3. The inner process sends the descriptors that it made (the tap, listeners) to bryo-net, and
//      then struct err over the birth socket, num 0 for success. PID 1 waits for this before it
//      starts the command, and not before its mounts are made.
//
// The end of a stream is never a success. bryo-net ends when bryo does (its end of the control
// socket closes, PR_SET_PDEATHSIG), and bryo ends the job when bryo-net does.
#ifndef BRYO_NET_NETCONFIG_H
#define BRYO_NET_NETCONFIG_H

#include "internal/base/err.h"
#include "internal/job/netopts.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Descriptors of bryo-net, as it is started. What is not there is closed.
enum {
    NET_FD_CONTROL = 3,
    NET_FD_BIRTH = 4,
    NET_FD_LOG = 5,  // --net-log: append only
    NET_FD_LOCK = 6, // --net-lock: to be written at the end
    NET_FD_PCAP = 7, // --pcap
};

// One socket that bryo bound on the machine for --publish, before the job started.
struct net_port {
    struct ip_addr addr;
    uint16_t host; // the one that was bound
    uint16_t job;
    bool udp;
    int fd; // bryo-net's: a listening socket (TCP), a bound one (UDP); it comes behind the config
};

// What the job's network is, with all choices made. In bryo-net it is filled once and const.
struct netconfig {
    struct net_opts opts; // as the user gave them
    struct net_port *ports;
    size_t n_ports;
    bool has_log, has_lock, has_pcap;
    bool ipv6;    // the job gets IPv6: the machine has a default route for it
    bool fast;    // wanted; what is found out inside is struct guest_net_made.fast
    uint32_t mtu; // of the tap
    // The text of the machine's resolv.conf; replaced by NET_MSG_RESOLV.
    char *resolv;
};

void netconfig_done(struct netconfig *c);
#define AUTO_NETCONFIG AUTO(netconfig_done)

// One datagram and back. Strict: a datagram that this did not write is -EPROTO.
struct buf;
void netconfig_pack(const struct netconfig *c, struct buf *out);
int netconfig_unpack(const void *bytes, size_t n, struct netconfig *ret);

// Sent and received by wire.h.
enum net_msg {
    NET_MSG_CONFIG = 1, // bryo -> bryo-net: netconfig_pack()
    NET_MSG_RESOLV,     // bryo -> bryo-net: the text of resolv.conf, which changed
    NET_MSG_NOTE,       // bryo-net -> bryo: a line for the user
    NET_MSG_FAILED,     // bryo-net -> bryo: struct err; the end
    NET_MSG_END,        // bryo -> bryo-net: the job has ended: write what is left, leave
};

// How the note begins that says why a job does without the fast path; doctor looks for it.
#define NET_NOTE_SLOW "TCP goes through libslirp"

// The birth socket.
#define NET_BIRTH_HERE 'N' // one byte and two descriptors: user namespace, network namespace

#endif
