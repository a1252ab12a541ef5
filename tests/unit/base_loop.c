// SPDX-License-Identifier: Apache-2.0
#include "internal/base/loop.h"

#include "internal/base/cleanup.h"
#include "tests/unit/tap.h"

#include <fcntl.h>
#include <stddef.h>
#include <sys/epoll.h>

struct seen {
    struct loop *loop;
    int fd;
    int other;
    int calls;
    int limit;
    char order[16];
};

static int on_readable(void *ctx, uint32_t events)
{
    struct seen *s = ctx;
    char c;
    if (events & EPOLLIN && read(s->fd, &c, 1) == 1)
        s->calls++;
    if (s->other >= 0)
        loop_remove(s->loop, s->other);
    if (s->calls == s->limit)
        loop_stop(s->loop);
    return 0;
}

static int fail_with(void *ctx, uint32_t events)
{
    (void)events;
    return *(int *)ctx;
}

static int mark(struct seen *s, char c)
{
    size_t n = strlen(s->order);
    s->order[n] = c;
    return 0;
}

static int timer_a(void *ctx)
{
    return mark(ctx, 'a');
}

static int timer_b(void *ctx)
{
    return mark(ctx, 'b');
}

static int timer_stop(void *ctx)
{
    loop_stop(((struct seen *)ctx)->loop);
    return mark(ctx, '.');
}

static int timer_again(void *ctx)
{
    struct seen *s = ctx;
    (void)loop_at(s->loop, loop_now_us() + 1000, timer_stop, s);
    return mark(s, 'n');
}

static int timer_fails(void *ctx)
{
    (void)ctx;
    return -ETIME;
}

static void descriptors(struct loop *loop)
{
    int p[2] = {-1, -1};
    int q[2] = {-1, -1};
    if (!ok(pipe2(p, O_CLOEXEC) == 0 && pipe2(q, O_CLOEXEC) == 0, "pipes"))
        return;
    struct seen s = {.loop = loop, .fd = p[0], .other = -1, .limit = 3};
    ok(write(p[1], "xyz", 3) == 3, "three bytes");
    is_int(loop_add(loop, p[0], EPOLLIN, on_readable, &s), 0, "watched");
    is_int(loop_add(loop, p[0], EPOLLIN, on_readable, &s), -EEXIST, "once only");
    is_int(loop_run(loop), 0, "runs until stopped");
    is_int(s.calls, 3, "level-triggered: called until read");

    int error = -EPROTO;
    is_int(loop_add(loop, q[0], EPOLLIN, fail_with, &error), 0, "another");
    ok(write(q[1], "x", 1) == 1 && loop_run(loop) == -EPROTO, "a handler's error ends the loop");

    // Both are readable; whichever handler comes first removes the other, which then must not run.
    struct seen both[2] = {{.loop = loop, .fd = p[0], .other = q[0], .limit = 1},
                           {.loop = loop, .fd = q[0], .other = p[0], .limit = 1}};
    loop_remove(loop, p[0]);
    loop_remove(loop, q[0]);
    ok(loop_add(loop, p[0], EPOLLIN, on_readable, &both[0]) == 0 &&
           loop_add(loop, q[0], EPOLLIN, on_readable, &both[1]) == 0 && write(p[1], "x", 1) == 1,
       "two that remove each other");
    is_int(loop_run(loop), 0, "run");
    is_int(both[0].calls + both[1].calls, 1, "and one of them only");
    loop_remove(loop, q[0]);
    is_int(loop_change(loop, q[0], EPOLLIN), -ENOENT, "nor known");
    loop_remove(loop, q[0]);
    loop_remove(loop, -1);

    for (int i = 0; i < 2; i++) {
        (void)close(p[i]);
        (void)close(q[i]);
    }
}

// Closed without loop_remove(): the number comes back for another pipe and must get its handler.
static void number_used_again(void)
{
    struct loop *loop = NULL;
    int p[2] = {-1, -1};
    int error = -EPROTO;
    if (!ok(loop_new(&loop) == 0 && pipe2(p, O_CLOEXEC) == 0, "a loop and a pipe"))
        return;
    int old = p[0];
    is_int(loop_add(loop, p[0], EPOLLIN, fail_with, &error), 0, "watched");
    (void)close(p[0]);
    (void)close(p[1]);
    struct seen t = {.loop = loop, .other = -1, .limit = 1};
    ok(pipe2(p, O_CLOEXEC) == 0 && p[0] == old, "a number is used again");
    t.fd = p[0];
    ok(loop_add(loop, p[0], EPOLLIN, on_readable, &t) == 0 && write(p[1], "x", 1) == 1 &&
           loop_run(loop) == 0,
       "and watched again");
    is_int(t.calls, 1, "by the new handler");
    loop_free(loop);
    (void)close(p[0]);
    (void)close(p[1]);
}

static void timers(struct loop *loop)
{
    struct seen s = {.loop = loop};
    uint64_t now = loop_now_us();
    int b = loop_at(loop, now + 20000, timer_b, &s);
    int a = loop_at(loop, now + 5000, timer_a, &s);
    int gone = loop_at(loop, now + 10000, timer_b, &s);
    ok(a > 0 && b > 0 && a != b, "timers have ids");
    loop_cancel(loop, gone);
    loop_cancel(loop, 0);
    loop_cancel(loop, 12345);
    (void)loop_at(loop, now + 40000, timer_stop, &s);
    is_int(loop_run(loop), 0, "runs");
    is_str(s.order, "ab.", "in the order of time, without the cancelled one");
    ok(loop_now_us() >= now + 40000, "and not early");
    loop_cancel(loop, a);

    struct seen t = {.loop = loop};
    (void)loop_at(loop, 0, timer_again, &t);
    is_int(loop_run(loop), 0, "a timer sets the next");
    is_str(t.order, "n.", "and both are called");
    (void)loop_at(loop, 0, timer_fails, NULL);
    is_int(loop_run(loop), -ETIME, "a timer's error ends the loop");
}

// A descriptor watched by pointer, and what it queues when it is told.
struct edge {
    struct loop_watch watch;
    struct loop_task soon;
    struct loop_task idle;
    struct loop *loop;
    int told;
    int again; // how often the task is to queue itself
    char order[16];
};

static void note(struct edge *e, char c)
{
    e->order[strlen(e->order)] = c;
}

static void on_edge(struct loop_watch *w, uint32_t events)
{
    struct edge *e = (struct edge *)((char *)w - offsetof(struct edge, watch));
    e->told += (events & EPOLLIN) != 0;
    loop_when_idle(e->loop, &e->idle);
    loop_defer(e->loop, &e->soon);
    loop_defer(e->loop, &e->soon);
    note(e, 'e');
}

static void on_soon(struct loop_task *t)
{
    struct edge *e = (struct edge *)((char *)t - offsetof(struct edge, soon));
    note(e, 's');
    if (e->again-- > 0)
        loop_defer(e->loop, t);
}

static void on_idle(struct loop_task *t)
{
    note((struct edge *)((char *)t - offsetof(struct edge, idle)), 'i');
}

static void edges_and_tasks(void)
{
    struct edge e = {.watch.fn = on_edge, .soon.fn = on_soon, .idle.fn = on_idle, .again = 1};
    int p[2] = {-1, -1};
    if (!ok(loop_new(&e.loop) == 0 && pipe2(p, O_CLOEXEC) == 0, "a loop and a pipe"))
        return;
    is_int(loop_watch(e.loop, p[0], EPOLLIN, &e.watch), 0, "watched by pointer");
    ok(write(p[1], "x", 1) == 1 && loop_step(e.loop, 0) == 0, "a byte");
    is_str(e.order, "es", "told, then the task, once; not what waits for leisure");
    is_int(loop_timeout_ms(e.loop), 0, "which nothing has to be waited for");
    is_int(loop_step(e.loop, -1), 0, "nor is, though the next round may wait for ever");
    is_str(e.order, "ess", "the task that queued itself goes first");
    is_int(loop_step(e.loop, -1), 0, "another");
    is_str(e.order, "essi", "then what had the time");
    is_int(loop_timeout_ms(e.loop), -1, "that is all");
    (void)loop_step(e.loop, 0);
    is_int(e.told, 1, "edge-triggered: what is not read is not told twice");
    loop_unwatch(e.loop, p[0]);
    ok(write(p[1], "x", 1) == 1 && loop_step(e.loop, 0) == 0 && e.told == 1, "nothing more");
    loop_free(e.loop);
    (void)close(p[0]);
    (void)close(p[1]);
}

// Those that wait for leisure are not put off without bound where there is none.
static void never_idle(void)
{
    enum { N = 203 };
    struct edge many[N];
    struct loop *loop = NULL;
    int p[2] = {-1, -1};
    int ran = 0;
    if (!ok(loop_new(&loop) == 0 && pipe2(p, O_CLOEXEC) == 0, "a loop and a pipe"))
        return;
    struct seen busy = {.loop = loop, .fd = -1, .other = -1, .limit = -1};
    (void)loop_add(loop, p[0], EPOLLIN, on_readable, &busy); // reads nothing: it stays readable
    ok(write(p[1], "x", 1) == 1, "that is never without something to do");
    for (int i = 0; i < N; i++) {
        many[i] = (struct edge){.idle.fn = on_idle, .loop = loop};
        loop_when_idle(loop, &many[i].idle);
        (void)loop_step(loop, 0);
    }
    for (int i = 0; i < N; i++)
        ran += many[i].order[0] == 'i';
    ok(ran >= N / 2 && ran < N, "some of %d wait (%d ran)", N, ran);
    loop_free(loop);
    ran = 0;
    for (int i = 0; i < N; i++)
        ran += many[i].order[0] == 'i';
    is_int(ran, N, "and none is forgotten at the end");
    (void)close(p[0]);
    (void)close(p[1]);
}

int main(void)
{
    struct loop *loop = NULL;
    ok(loop_new(&loop) == 0, "a loop");
    descriptors(loop);
    number_used_again();
    timers(loop);
    edges_and_tasks();
    never_idle();
    loop_free(loop);
    loop_free(NULL);
    return done_testing();
}
