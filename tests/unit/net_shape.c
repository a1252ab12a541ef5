// SPDX-License-Identifier: Apache-2.0
#include "net/shape.h"

#include "tests/unit/tap.h"

#define SECOND UINT64_C(1000000000)

// Sends packets back to back for some time: how many bits arrive in a second.
static double rate_of(struct shape_clock *c, size_t len, unsigned seconds)
{
    uint64_t bytes = 0;
    uint64_t end = 0;
    uint64_t now = SECOND;
    for (uint64_t i = 0; i < (uint64_t)seconds * 1000000; i++) {
        now = SECOND + i * 1000;
        uint64_t at = shape_departure(c, now, len);
        if (at) {
            bytes += len;
            end = at;
        }
    }
    return (double)bytes * 8 * (double)SECOND / (double)(end - SECOND);
}

static void rates(void)
{
    const uint64_t asked[] = {100000, 10000000, 123456789, 1000000000};
    for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
        for (size_t len = 100; len <= 1500; len += 1400) {
            struct shape_clock c = {.rate_bps = asked[i], .random = 1};
            double got = rate_of(&c, len, 2);
            double most = (double)len * 8 * 1000000; // what is offered
            double want = (double)asked[i] < most ? (double)asked[i] : most;
            ok(got > 0.95 * want && got < 1.05 * want, "%zu bytes at %.0f: %.0f", len, want, got);
        }
    }
}

static void queue(void)
{
    struct shape_clock c = {.rate_bps = 8000000, .random = 1}; // a byte a microsecond
    unsigned taken = 0;
    uint64_t last = 0;
    for (int i = 0; i < 10000; i++) {
        uint64_t at = shape_departure(&c, SECOND, 1000);
        taken += at > 0;
        last = at ? at : last;
    }
    ok(last >= SECOND + SHAPE_QUEUE_NS && last <= SECOND + SHAPE_QUEUE_NS + 2000000,
       "a burst fills the queue and no more");
    is_int(taken, 101, "the rest is lost");
    ok(shape_departure(&c, last, 1000) == last + 1000000, "a free wire takes the next at once");
    struct shape_clock slow = {.rate_bps = 8000, .random = 1};
    for (taken = 0; shape_departure(&slow, SECOND, 1000); taken++)
        continue;
    is_int(taken, SHAPE_QUEUE_MIN / 1000 + 1, "a slow wire's queue has room for some packets");
}

static void delays(void)
{
    struct shape_clock c = {.delay_us = 20000, .random = 1};
    is_int(shape_departure(&c, SECOND, 1000), SECOND + 20000000, "a delay");
    struct shape_clock j = {.delay_us = 20000, .jitter_us = 5000, .random = 99};
    uint64_t low = UINT64_MAX;
    uint64_t high = 0;
    uint64_t before = 0;
    bool ordered = true;
    double sum = 0;
    for (uint64_t i = 0; i < 10000; i++) {
        uint64_t now = SECOND * (i + 1); // far apart: none waits for the one before it
        uint64_t at = shape_departure(&j, now, 100);
        uint64_t d = at - now;
        low = d < low ? d : low;
        high = d > high ? d : high;
        ordered = ordered && at >= before;
        before = at;
        sum += (double)d;
    }
    ok(low >= 15000000 && low < 15100000 && high <= 25000000 && high > 24900000,
       "with jitter: between %ju and %ju", low, high);
    ok(sum / 10000 > 19800000 && sum / 10000 < 20200000, "around the delay");
    for (uint64_t i = 0; i < 10000; i++) {
        uint64_t at = shape_departure(&j, before - 20000000 + i * 1000, 100);
        ordered = ordered && at >= before;
        before = at;
    }
    ok(ordered, "and in order");
}

static void losses(void)
{
    const uint32_t asked[] = {0, 1000, 10000, 200000, 1000000};
    for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
        struct shape_clock c = {.loss_ppm = asked[i], .random = 12345};
        int lost = 0;
        for (int k = 0; k < 1000000; k++)
            lost += shape_departure(&c, SECOND, 100) == 0;
        int off = lost - (int)asked[i];
        int most = (int)asked[i] / 10 + 1;
        ok(off <= most && off >= -most, "of a million, %u are to be lost: %d", asked[i], lost);
    }
}

int main(void)
{
    rates();
    queue();
    delays();
    losses();
    return done_testing();
}
