// SPDX-License-Identifier: Apache-2.0
#include "net/shape.h"

#include "internal/base/buf.h"
#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/base/loop.h"

#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/timerfd.h>
#include <time.h>

#define SECOND_NS UINT64_C(1000000000)

enum { ETHERNET = 14 };

// On the way at once: a fast and long wire holds much, a process must not.
enum { LANE_MAX = 64 << 20 };

struct parcel {
    struct parcel *next;
    uint64_t at_ns;
    size_t len;
    uint8_t frame[];
};

struct lane {
    struct shape_clock clock;
    struct parcel *first;
    struct parcel **last;
    size_t bytes;
};

struct shape {
    struct loop *loop;
    int timer; // timerfd(2): epoll's milliseconds are too coarse
    struct lane lanes[SHAPE_LANES];
    shape_deliver_fn *deliver;
    void *ctx;
    uint64_t armed_ns; // 0: not
};

static uint64_t now_ns(void)
{
    struct timespec ts;
    (void)clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * SECOND_NS + (uint64_t)ts.tv_nsec;
}

static void arm(struct shape *s)
{
    uint64_t soonest = 0;
    for (int i = 0; i < SHAPE_LANES; i++)
        if (s->lanes[i].first && (!soonest || s->lanes[i].first->at_ns < soonest))
            soonest = s->lanes[i].first->at_ns;
    if (soonest == s->armed_ns)
        return;
    const struct itimerspec at = {.it_value = {.tv_sec = (time_t)(soonest / SECOND_NS),
                                               .tv_nsec = (long)(soonest % SECOND_NS)}};
    s->armed_ns = timerfd_settime(s->timer, TFD_TIMER_ABSTIME, &at, NULL) < 0 ? 0 : soonest;
}

static int on_timer(void *ctx, uint32_t events)
{
    struct shape *s = ctx;
    uint64_t times = 0;
    (void)events;
    if (read(s->timer, &times, sizeof(times)) != (ssize_t)sizeof(times))
        return 0;
    s->armed_ns = 0;
    uint64_t now = now_ns();
    for (int i = 0; i < SHAPE_LANES; i++) {
        struct lane *lane = &s->lanes[i];
        while (lane->first && lane->first->at_ns <= now) {
            AUTO_FREE struct parcel *p = lane->first;
            lane->first = p->next;
            if (!lane->first)
                lane->last = &lane->first;
            lane->bytes -= p->len;
            s->deliver(s->ctx, (enum shape_lane)i, p->frame, p->len);
        }
    }
    arm(s);
    return 0;
}

void shape_push(struct shape *s, enum shape_lane which, const void *frame, size_t len)
{
    struct lane *lane = &s->lanes[which];
    if (len <= ETHERNET || lane->bytes + len > LANE_MAX)
        return;
    uint64_t at = shape_departure(&lane->clock, now_ns(), len - ETHERNET);
    if (at == 0)
        return;
    struct parcel *p = mem_alloc(sizeof(*p) + len);
    *p = (struct parcel){.at_ns = at, .len = len};
    memcpy(p->frame, frame, len);
    *lane->last = p;
    lane->last = &p->next;
    lane->bytes += len;
    arm(s);
}

int shape_new(struct loop *loop, const struct net_opts *opts, shape_deliver_fn *deliver, void *ctx,
              struct shape **ret, struct err *err)
{
    AUTO_FD int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (timer < 0)
        return err_sys(err, errno, "cannot make a timer");
    struct shape *s = mem_alloc(sizeof(*s));
    *s = (struct shape){.loop = loop, .timer = timer, .deliver = deliver, .ctx = ctx};
    for (int i = 0; i < SHAPE_LANES; i++) {
        struct lane *lane = &s->lanes[i];
        lane->last = &lane->first;
        lane->clock.rate_bps = opts->rate_bps;
        if (getrandom(&lane->clock.random, sizeof(lane->clock.random), 0) < 0)
            lane->clock.random = now_ns();
        lane->clock.random |= 1;
    }
    struct shape_clock *out = &s->lanes[SHAPE_OUT].clock;
    out->delay_us = opts->delay_us;
    out->jitter_us = opts->jitter_us;
    out->loss_ppm = opts->loss_ppm;
    int r = loop_add(loop, timer, EPOLLIN, on_timer, s);
    if (r < 0) {
        free(s);
        return err_sys(err, -r, "cannot watch a timer");
    }
    (void)TAKE_FD(timer);
    *ret = s;
    return 0;
}

void shape_free(struct shape *s)
{
    if (!s)
        return;
    for (int i = 0; i < SHAPE_LANES; i++) {
        while (s->lanes[i].first) {
            struct parcel *p = s->lanes[i].first;
            s->lanes[i].first = p->next;
            free(p);
        }
    }
    loop_remove(s->loop, s->timer);
    fd_closep(&s->timer);
    free(s);
}
