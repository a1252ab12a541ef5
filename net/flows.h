// SPDX-License-Identifier: Apache-2.0
// The flows that pass the tap, each with its verdict. Pure: the time is handed in.
//
// Bounded: where a new one finds no room, the one that was silent for the longest time goes. A TCP
// segment of a flow that is not here opens nothing and is answered with RST, so that no connection
// lives that no verdict allowed.
#ifndef BRYO_NET_FLOWS_H
#define BRYO_NET_FLOWS_H

#include "net/flow.h"

#include <stddef.h>
#include <stdint.h>

struct flows;

// Called when a flow is over: its last packet was long ago, TCP's end was seen, or room was needed.
typedef void flows_ended_fn(void *ctx, struct flow *flow);

struct flows *flows_new(size_t max, flows_ended_fn *ended, void *ctx);
void flows_free(struct flows *t); // ends all of them; NULL is fine

// The flow, or NULL. It belongs to the table, and may go with the next flows_add().
struct flow *flows_find(struct flows *t, const struct flow_key *key, uint64_t now_us);
struct flow *flows_add(struct flows *t, const struct flow *flow, uint64_t now_us);

// Counts a packet of it; tcp_flags: FRAME_* of TCP, else 0.
void flows_count(struct flows *t, struct flow *flow, bool out, size_t payload, uint8_t tcp_flags,
                 uint64_t now_us);

// Whether a TCP connection that was answered has not been ended by the job yet.
bool flows_open_tcp(const struct flows *t);

// Ends those that are over. Returns how many are left.
size_t flows_expire(struct flows *t, uint64_t now_us);

#endif
