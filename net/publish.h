// SPDX-License-Identifier: Apache-2.0
// Published ports: what reaches a port of the machine is passed to a port of the job.
//
// TCP: the connection is accepted here, and a socket made inside the job's network namespace, bound
// to the client's own address and port, connects to the job's server; both are spliced. The server
// sees the real client. Only a client on the machine's own loopback appears as the gateway: a
// server that trusts its own loopback is not to trust the machine's.
//
// UDP: datagrams are put into the tap as frames from the client's address, and what the job's port
// answers to a client that was heard is sent from the published port.
#ifndef BRYO_NET_PUBLISH_H
#define BRYO_NET_PUBLISH_H

#include <stdbool.h>

struct engine;
struct err;
struct fast;
struct frame;
struct publish;

// The sockets are those of engine_config()->ports, bound (TCP: listening) and
// non-blocking. fast: NULL without the fast path, TCP is then not served here. maker: FAST_FD_MAKER
// (guest_fast.h), the caller's; -1: none. 0, or -errno with *err filled.
int publish_new(struct engine *engine, struct fast *fast, int maker, struct publish **ret,
                struct err *err);
void publish_free(struct publish *p); // before fast_free(); NULL is fine

// A UDP frame of the job (with its address checked). True: it answered a client, and was sent.
bool publish_input(struct publish *p, const struct frame *frame);

#endif
