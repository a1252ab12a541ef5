// SPDX-License-Identifier: Apache-2.0
// SYNs of the job that wait: for the machine's connect(2), then for the job's handshake. A table by
// both addresses and ports, bounded.
#ifndef BRYO_NET_HELD_H
#define BRYO_NET_HELD_H

#include "internal/base/loop.h"
#include "net/flow.h"

#include <stddef.h>
#include <stdint.h>

enum held_state {
    HELD_CONNECTING, // the machine's connect(2) is under way
    HELD_INJECTED,   // connected; the SYN went back, the handshake is due
    HELD_DONE,       // accepted: kept to swallow a SYN that was sent twice, until the tap has been
                     // seen empty, or for some seconds
    HELD_REFUSED,    // answered; likewise
};

struct held {
    struct loop_watch watch; // of fd
    struct loop_task task;   // frees it, once it is out of the table
    struct fast *fast;
    struct held *next;                     // in its bucket
    struct held *next_spent, **prev_spent; // of struct fast; prev_spent NULL: not in that list
    enum held_state state;
    int fd;            // the machine's socket; -1: none
    uint32_t isn;      // sequence number of the SYN, as in the frame
    uint64_t first;    // microseconds, CLOCK_MONOTONIC: the SYN came,
    uint64_t last;     // came again,
    uint64_t since;    // reached this state
    struct flow *flow; // owned, until it is handed on
    uint8_t *frame;    // owned
    size_t frame_len;
};

struct held_table;

struct held_table *held_table_new(unsigned max);
void held_table_free(struct held_table *t); // the table alone

struct held *held_find(struct held_table *t, const struct flow_key *key);
struct held *held_add(struct held_table *t, const struct flow_key *key); // NULL: full
void held_remove(struct held_table *t, struct held *h); // the entry is the caller's
unsigned held_count(const struct held_table *t);

// Calls fn of each; fn may remove it.
void held_each(struct held_table *t, void (*fn)(struct held *h, void *ctx), void *ctx);

// Whether it has waited too long. A kernel that still wants the connection sends the SYN again
// after a time that at most doubles; one that does not (the job gave up) leaves no other sign.
bool held_expired(const struct held *h, uint64_t now);

#endif
