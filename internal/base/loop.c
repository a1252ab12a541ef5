// SPDX-License-Identifier: Apache-2.0
#include "internal/base/loop.h"

#include "internal/base/buf.h"
#include "internal/base/cleanup.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>

struct watch {
    loop_fd_fn *fn; // NULL: a free place
    void *ctx;
};

struct timer {
    int id; // 0: a free place
    uint64_t at_us;
    loop_timer_fn *fn;
    void *ctx;
};

struct loop {
    int epfd;
    int stopped;
    int last_timer_id;
    struct watch *watches; // by descriptor
    size_t n_watches;
    struct timer *timers;
    size_t n_timers;
};

uint64_t loop_now_us(void)
{
    struct timespec ts;
    (void)clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

int loop_new(struct loop **ret)
{
    int epfd = epoll_create1(EPOLL_CLOEXEC);
    if (epfd < 0)
        return -errno;
    *ret = mem_alloc(sizeof(struct loop));
    (*ret)->epfd = epfd;
    return 0;
}

void loop_free(struct loop *loop)
{
    if (!loop)
        return;
    fd_closep(&loop->epfd);
    free(loop->watches);
    free(loop->timers);
    free(loop);
}

static struct watch *find_watch(struct loop *loop, int fd)
{
    bool in = fd >= 0 && (size_t)fd < loop->n_watches && loop->watches[fd].fn;
    return in ? &loop->watches[fd] : NULL;
}

int loop_add(struct loop *loop, int fd, uint32_t events, loop_fd_fn *fn, void *ctx)
{
    struct epoll_event ev = {.events = events, .data.fd = fd};
    if (epoll_ctl(loop->epfd, EPOLL_CTL_ADD, fd, &ev) < 0)
        return -errno;
    // A descriptor that was closed without loop_remove() left epoll by itself; its number is back.
    if ((size_t)fd >= loop->n_watches) {
        size_t n = (size_t)fd + 16;
        loop->watches = mem_grow(loop->watches, n, sizeof(struct watch));
        memset(loop->watches + loop->n_watches, 0, (n - loop->n_watches) * sizeof(struct watch));
        loop->n_watches = n;
    }
    loop->watches[fd] = (struct watch){.fn = fn, .ctx = ctx};
    return 0;
}

int loop_change(struct loop *loop, int fd, uint32_t events)
{
    struct epoll_event ev = {.events = events, .data.fd = fd};
    return epoll_ctl(loop->epfd, EPOLL_CTL_MOD, fd, &ev) < 0 ? -errno : 0;
}

void loop_remove(struct loop *loop, int fd)
{
    struct watch *w = find_watch(loop, fd);
    if (!w)
        return;
    (void)epoll_ctl(loop->epfd, EPOLL_CTL_DEL, fd, NULL);
    w->fn = NULL;
}

int loop_at(struct loop *loop, uint64_t at_us, loop_timer_fn *fn, void *ctx)
{
    struct timer *t = NULL;
    for (size_t i = 0; i < loop->n_timers && !t; i++)
        if (loop->timers[i].id == 0)
            t = &loop->timers[i];
    if (!t) {
        loop->timers = mem_grow(loop->timers, loop->n_timers + 1, sizeof(struct timer));
        t = &loop->timers[loop->n_timers++];
    }
    *t = (struct timer){.id = ++loop->last_timer_id, .at_us = at_us, .fn = fn, .ctx = ctx};
    return t->id;
}

void loop_cancel(struct loop *loop, int timer_id)
{
    for (size_t i = 0; timer_id > 0 && i < loop->n_timers; i++)
        if (loop->timers[i].id == timer_id)
            loop->timers[i].id = 0;
}

int loop_timeout_ms(const struct loop *loop)
{
    uint64_t soonest = UINT64_MAX;
    for (size_t i = 0; i < loop->n_timers; i++)
        if (loop->timers[i].id && loop->timers[i].at_us < soonest)
            soonest = loop->timers[i].at_us;
    if (soonest == UINT64_MAX)
        return -1;
    uint64_t now = loop_now_us();
    if (soonest <= now)
        return 0;
    uint64_t ms = (soonest - now + 999) / 1000; // rounded up: never early, never a busy loop
    return ms > 3600000 ? 3600000 : (int)ms;
}

static int run_timers(struct loop *loop)
{
    uint64_t now = loop_now_us();
    for (size_t i = 0; i < loop->n_timers && !loop->stopped; i++) {
        struct timer t = loop->timers[i];
        if (t.id == 0 || t.at_us > now)
            continue;
        loop->timers[i].id = 0; // before the call: it may set the next one
        int r = t.fn(t.ctx);
        if (r < 0)
            return r;
    }
    return 0;
}

int loop_step(struct loop *loop, int timeout_ms)
{
    struct epoll_event events[16];
    int n = epoll_wait(loop->epfd, events, 16, timeout_ms);
    if (n < 0 && errno != EINTR)
        return -errno;
    for (int i = 0; i < n && !loop->stopped; i++) {
        // A handler before it may have removed this one.
        struct watch *w = find_watch(loop, events[i].data.fd);
        int r = w ? w->fn(w->ctx, events[i].events) : 0;
        if (r < 0)
            return r;
    }
    return run_timers(loop);
}

int loop_run(struct loop *loop)
{
    int r = 0;
    loop->stopped = 0;
    while (r >= 0 && !loop->stopped)
        r = loop_step(loop, loop_timeout_ms(loop));
    return r < 0 ? r : 0;
}

int loop_epoll_fd(const struct loop *loop)
{
    return loop->epfd;
}

bool loop_is_stopped(const struct loop *loop)
{
    return loop->stopped;
}

void loop_stop(struct loop *loop)
{
    loop->stopped = 1;
}
