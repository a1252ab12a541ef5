// SPDX-License-Identifier: Apache-2.0
#include "net/poll.h"

#include "internal/base/buf.h"
#include "internal/base/cleanup.h"
#include "internal/base/loop.h"

#include <errno.h>
#include <sys/epoll.h>

enum { BATCH = 64 };

struct poll {
    struct loop *loop;
    int epfd;
    int timer; // set while tasks wait for the next batch
    struct poll_task *first;
    struct poll_task **last;
};

static int on_later(void *ctx);

// Those that are queued while they run wait for the next batch.
static void run_tasks(struct poll *p)
{
    struct poll_task *t = p->first;
    p->first = NULL;
    p->last = &p->first;
    while (t) {
        struct poll_task *next = t->next;
        t->queued = false;
        t->fn(t);
        t = next;
    }
}

static int on_events(void *ctx, uint32_t loop_events)
{
    (void)loop_events;
    struct poll *p = ctx;
    struct epoll_event events[BATCH];
    int n = epoll_wait(p->epfd, events, BATCH, 0);
    if (n < 0 && errno != EINTR)
        return -errno;
    for (int i = 0; i < n; i++) {
        struct poll_watch *w = events[i].data.ptr;
        w->fn(w, events[i].events);
    }
    run_tasks(p);
    if (p->first && !p->timer) {
        int id = loop_at(p->loop, 0, on_later, p);
        if (id < 0)
            return id;
        p->timer = id;
    }
    return 0;
}

static int on_later(void *ctx)
{
    struct poll *p = ctx;
    p->timer = 0;
    return on_events(p, 0);
}

int poll_new(struct loop *loop, struct poll **ret)
{
    AUTO_FD int epfd = epoll_create1(EPOLL_CLOEXEC);
    if (epfd < 0)
        return -errno;
    struct poll *p = mem_alloc(sizeof(*p));
    *p = (struct poll){.loop = loop, .epfd = epfd, .last = NULL};
    p->last = &p->first;
    int r = loop_add(loop, epfd, EPOLLIN, on_events, p);
    if (r < 0) {
        free(p);
        return r;
    }
    (void)TAKE_FD(epfd);
    *ret = p;
    return 0;
}

void poll_free(struct poll *p)
{
    if (!p)
        return;
    while (p->first)
        run_tasks(p);
    loop_cancel(p->loop, p->timer);
    loop_remove(p->loop, p->epfd);
    fd_closep(&p->epfd);
    free(p);
}

int poll_add(struct poll *p, int fd, uint32_t events, struct poll_watch *w)
{
    struct epoll_event ev = {.events = events | EPOLLET, .data.ptr = w};
    return epoll_ctl(p->epfd, EPOLL_CTL_ADD, fd, &ev) < 0 ? -errno : 0;
}

void poll_remove(struct poll *p, int fd)
{
    (void)epoll_ctl(p->epfd, EPOLL_CTL_DEL, fd, NULL);
}

void poll_defer(struct poll *p, struct poll_task *t)
{
    if (t->queued)
        return;
    t->queued = true;
    t->next = NULL;
    *p->last = t;
    p->last = &t->next;
}
