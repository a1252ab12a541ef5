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

struct tasks {
    struct loop_task *first;
    struct loop_task **last;
    unsigned n;
};

// What waits for a round without events: so many tasks, for so many rounds.
enum { IDLE_MAX = 32, IDLE_ROUNDS = 8 };

struct loop {
    int epfd;
    struct tasks soon;
    struct tasks idle;
    int passed_over; // rounds in which those had to wait
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
    (*ret)->soon.last = &(*ret)->soon.first;
    (*ret)->idle.last = &(*ret)->idle.first;
    return 0;
}

static void put_task(struct tasks *tasks, struct loop_task *t)
{
    if (t->queued)
        return;
    t->queued = true;
    t->next = NULL;
    *tasks->last = t;
    tasks->last = &t->next;
    tasks->n++;
}

static void run_task(struct tasks *tasks)
{
    struct loop_task *t = tasks->first;
    tasks->first = t->next;
    if (!tasks->first)
        tasks->last = &tasks->first;
    tasks->n--;
    t->queued = false;
    t->fn(t);
}

// Not those that are queued while they run.
static void run_tasks(struct tasks *tasks)
{
    for (unsigned n = tasks->n; n > 0; n--)
        run_task(tasks);
}

void loop_defer(struct loop *loop, struct loop_task *t)
{
    put_task(&loop->soon, t);
}

void loop_when_idle(struct loop *loop, struct loop_task *t)
{
    put_task(loop->idle.n < IDLE_MAX ? &loop->idle : &loop->soon, t);
}

void loop_free(struct loop *loop)
{
    if (!loop)
        return;
    while (loop->soon.n + loop->idle.n > 0) {
        run_tasks(&loop->soon);
        run_tasks(&loop->idle);
    }
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

// What an event names: a descriptor, or by its address, which is even, a struct loop_watch.
static uint64_t name_of_fd(int fd)
{
    return (uint64_t)(unsigned)fd << 1 | 1;
}

int loop_add(struct loop *loop, int fd, uint32_t events, loop_fd_fn *fn, void *ctx)
{
    struct epoll_event ev = {.events = events, .data.u64 = name_of_fd(fd)};
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
    struct epoll_event ev = {.events = events, .data.u64 = name_of_fd(fd)};
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

int loop_watch(struct loop *loop, int fd, uint32_t events, struct loop_watch *w)
{
    struct epoll_event ev = {.events = events | EPOLLET, .data.u64 = (uintptr_t)w};
    return epoll_ctl(loop->epfd, EPOLL_CTL_ADD, fd, &ev) < 0 ? -errno : 0;
}

void loop_unwatch(struct loop *loop, int fd)
{
    (void)epoll_ctl(loop->epfd, EPOLL_CTL_DEL, fd, NULL);
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
    if (loop->soon.n + loop->idle.n > 0)
        return 0;
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

// The soonest of those that are due and were set before: one that sets itself again, for at once,
// does so for the next round.
static struct timer *due_timer(struct loop *loop, uint64_t now, int last_id)
{
    struct timer *due = NULL;
    for (size_t i = 0; i < loop->n_timers; i++) {
        struct timer *t = &loop->timers[i];
        if (t->id && t->id <= last_id && t->at_us <= now && (!due || t->at_us < due->at_us))
            due = t;
    }
    return due;
}

static int run_timers(struct loop *loop)
{
    int last_id = loop->last_timer_id;
    uint64_t now = loop->n_timers ? loop_now_us() : 0;
    struct timer *due;
    while (!loop->stopped && (due = due_timer(loop, now, last_id))) {
        struct timer t = *due;
        due->id = 0; // before the call: it may set the next one
        int r = t.fn(t.ctx);
        if (r < 0)
            return r;
    }
    return 0;
}

static int on_event(struct loop *loop, const struct epoll_event *event)
{
    uint64_t name = event->data.u64;
    if (!(name & 1)) {
        struct loop_watch *w = event->data.ptr;
        w->fn(w, event->events);
        return 0;
    }
    // A handler before it may have removed this one.
    struct watch *w = find_watch(loop, (int)(name >> 1));
    return w ? w->fn(w->ctx, event->events) : 0;
}

// One at a time: what has the time takes nobody else's.
static void run_idle(struct loop *loop, bool leisure)
{
    if (loop->idle.n == 0)
        return;
    if (leisure)
        run_task(&loop->idle);
    else if (++loop->passed_over >= IDLE_ROUNDS)
        run_tasks(&loop->idle);
    else
        return;
    loop->passed_over = 0;
}

int loop_step(struct loop *loop, int timeout_ms)
{
    enum { BATCH = 64 };
    struct epoll_event events[BATCH];
    bool waits = loop->soon.n + loop->idle.n == 0;
    int n = epoll_wait(loop->epfd, events, BATCH, waits ? timeout_ms : 0);
    if (n < 0 && errno != EINTR)
        return -errno;
    for (int i = 0; i < n && !loop->stopped; i++) {
        int r = on_event(loop, &events[i]);
        if (r < 0)
            return r;
    }
    run_idle(loop, n <= 0 && loop->soon.n == 0);
    int r = run_timers(loop);
    if (r == 0)
        run_tasks(&loop->soon);
    return r;
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
