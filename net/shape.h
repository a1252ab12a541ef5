// SPDX-License-Identifier: Apache-2.0
// A network that is slower, farther or worse than the real one (--net-rate, --net-delay,
// --net-loss).
//
// While it is on, all of the job's packets pass the tap in both directions, the segments of spliced
// connections too (guest_tproxy.h): the kernel's TCP on both of their ends sees the delay, the loss
// and the rate as it would on a wire. Each lane is a queue in bryo-net, so that no kernel module
// (netem) is needed. Frames of a lane keep their order, jitter or not.
//
//   rate     each direction; counted are IP packets, as long as they are
//   delay    of what leaves the job, with jitter: evenly spread from delay - jitter to delay +
//   jitter loss     of what leaves the job, each packet by itself
#ifndef BRYO_NET_SHAPE_H
#define BRYO_NET_SHAPE_H

#include "internal/job/netopts.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct loop;
struct shape;

enum shape_lane { SHAPE_OUT, SHAPE_IN, SHAPE_LANES }; // from the job, to it

static inline bool shape_wanted(const struct net_opts *o)
{
    return o->rate_bps || o->delay_us || o->loss_ppm;
}

// A frame whose time has come; the bytes may be changed.
typedef void shape_deliver_fn(void *ctx, enum shape_lane lane, uint8_t *frame, size_t len);

int shape_new(struct loop *loop, const struct net_opts *opts, shape_deliver_fn *deliver, void *ctx,
              struct shape **ret, struct err *err);
void shape_free(struct shape *s); // what is under way is lost; NULL is fine

// Copies the frame, or drops it: by chance, or because the queue is full.
void shape_push(struct shape *s, enum shape_lane lane, const void *frame, size_t len);

// --- the pure part: when a packet leaves

struct shape_clock {
    uint64_t rate_bps; // 0: no limit
    uint64_t delay_us, jitter_us;
    uint32_t loss_ppm;
    uint64_t random;  // state of the generator; not 0
    uint64_t wire_ns; // until then the wire is busy
    uint64_t last_ns; // the latest departure
};

// A packet of len bytes at now: when it arrives at the other end, in nanoseconds; 0: it is lost.
// What would wait longer than SHAPE_QUEUE_NS for the wire (and behind more than SHAPE_QUEUE_MIN
// bytes) is lost too.
#define SHAPE_QUEUE_NS  UINT64_C(100000000)
#define SHAPE_QUEUE_MIN 65536
uint64_t shape_departure(struct shape_clock *c, uint64_t now_ns, size_t len);

#endif
