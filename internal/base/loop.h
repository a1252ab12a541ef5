// SPDX-License-Identifier: Apache-2.0
// A small epoll(7) loop: descriptors with handlers, and deadlines. One thread.
#ifndef BRYO_BASE_LOOP_H
#define BRYO_BASE_LOOP_H

#include <stdbool.h>
#include <stdint.h>

struct loop;

// events: EPOLL* bits that happened. Returning < 0 ends the loop with that value.
typedef int loop_fd_fn(void *ctx, uint32_t events);
typedef int loop_timer_fn(void *ctx);

int loop_new(struct loop **ret);   // -errno on failure
void loop_free(struct loop *loop); // NULL is fine; closes nothing that was added

// Watches fd (stays the caller's). Level-triggered. One handler a descriptor.
int loop_add(struct loop *loop, int fd, uint32_t events, loop_fd_fn *fn, void *ctx);
int loop_change(struct loop *loop, int fd, uint32_t events);
void loop_remove(struct loop *loop, int fd);

// Calls fn once, at CLOCK_MONOTONIC >= at_us. Returns an id > 0, or -errno.
int loop_at(struct loop *loop, uint64_t at_us, loop_timer_fn *fn, void *ctx);
void loop_cancel(struct loop *loop, int timer_id); // 0 and ids that fired are fine

// Runs until loop_stop(), or until a handler returns < 0. Returns 0 or that value.
int loop_run(struct loop *loop);
void loop_stop(struct loop *loop);

// The parts of loop_run(), for a caller that has to wait for more than this: one round, of at most
// timeout_ms (-1: for ever), the timers with it; when the next timer is due (-1: none is set); the
// descriptor that is readable when a watched one is ready.
int loop_step(struct loop *loop, int timeout_ms);
int loop_timeout_ms(const struct loop *loop);
int loop_epoll_fd(const struct loop *loop);
bool loop_is_stopped(const struct loop *loop);

// --- For thousands of sockets: edge-triggered, found by pointer; and what may wait ---------------

// Embedded in what is watched. An event may still arrive in the round in which the descriptor was
// closed: memory that holds a watch is given back by a task, not at once.
struct loop_watch {
    void (*fn)(struct loop_watch *w, uint32_t events);
};

// events: EPOLL* bits; EPOLLET is added. Closing the descriptor ends it. Of w, which is the
// caller's, only the address is kept.
int loop_watch(struct loop *loop, int fd, uint32_t events, struct loop_watch *w);
void loop_unwatch(struct loop *loop, int fd); // to watch it otherwise

// Embedded likewise; queued once, however often it is asked for.
struct loop_task {
    void (*fn)(struct loop_task *t);
    struct loop_task *next;
    bool queued;
};

// Runs it at the end of this round. One that queues itself while it runs has its turn in the next
// round, so that one busy connection leaves the others theirs. loop_free() runs those left.
void loop_defer(struct loop *loop, struct loop_task *t);

// Runs it in a round that finds nothing to do, or when it has waited for a few rounds; with many
// that wait already, as loop_defer().
void loop_when_idle(struct loop *loop, struct loop_task *t);

uint64_t loop_now_us(void); // CLOCK_MONOTONIC, microseconds

#endif
