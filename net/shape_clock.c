// SPDX-License-Identifier: Apache-2.0
#include "net/shape.h"

#define SECOND_NS UINT64_C(1000000000)

// xorshift64*: evenly spread and quick; nobody is to be surprised by it.
static uint32_t draw(struct shape_clock *c)
{
    c->random ^= c->random >> 12;
    c->random ^= c->random << 25;
    c->random ^= c->random >> 27;
    return (uint32_t)((c->random * UINT64_C(0x2545f4914f6cdd1d)) >> 32);
}

static uint64_t wire_time(const struct shape_clock *c, size_t bytes)
{
    return (uint64_t)bytes * 8 * SECOND_NS / c->rate_bps;
}

uint64_t shape_departure(struct shape_clock *c, uint64_t now_ns, size_t len)
{
    if (c->loss_ppm && (uint64_t)draw(c) * 1000000 >> 32 < c->loss_ppm)
        return 0;
    uint64_t at = now_ns;
    if (c->rate_bps) {
        uint64_t most = wire_time(c, SHAPE_QUEUE_MIN);
        if (most < SHAPE_QUEUE_NS)
            most = SHAPE_QUEUE_NS;
        if (c->wire_ns > now_ns + most)
            return 0;
        if (c->wire_ns < now_ns)
            c->wire_ns = now_ns;
        c->wire_ns += wire_time(c, len);
        at = c->wire_ns;
    }
    at += c->delay_us * 1000;
    if (c->jitter_us) {
        uint64_t width = 2 * c->jitter_us * 1000;
        at = at - c->jitter_us * 1000 + (uint64_t)((double)draw(c) / 4294967296.0 * (double)width);
    }
    if (at < c->last_ns)
        at = c->last_ns;
    c->last_ns = at;
    return at;
}
