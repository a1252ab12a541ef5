// SPDX-License-Identifier: Apache-2.0
// ping(8) over IPv6, which libslirp does not carry beyond itself: by ICMP sockets of the machine's
// (icmp(7), /proc/sys/net/ipv4/ping_group_range holds for IPv6 too).
#ifndef BRYO_NET_ECHO6_H
#define BRYO_NET_ECHO6_H

struct echo6;
struct engine;
struct frame;

struct echo6 *echo6_new(struct engine *engine);
void echo6_free(struct echo6 *e); // NULL is fine

// An echo request of the job's that is allowed. What is answered goes to engine_frame_in(). 0, or
// -errno: -EACCES where the user may not ping.
int echo6_input(struct echo6 *e, const struct frame *frame);

#endif
