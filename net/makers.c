// SPDX-License-Identifier: Apache-2.0
#include "net/makers.h"

#include "internal/base/buf.h"
#include "internal/base/cleanup.h"
#include "internal/base/fd.h"
#include "internal/base/loop.h"
#include "net/guest_fast.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

enum { LOW = 4, MOST = LOW + MAKER_BATCH };

struct pool {
    unsigned char family;
    bool wanted;
    bool asked;
    int fds[MOST];
    unsigned n;
};

struct makers {
    struct loop_watch watch;
    struct loop *loop;
    int sock;
    bool short_of;
    struct pool pools[2];
    void (*refilled)(void *ctx);
    void *ctx;
};

static void ask(struct makers *m, struct pool *p)
{
    if (!p->wanted || p->asked || p->n >= LOW)
        return;
    p->asked = send(m->sock, &p->family, 1, MSG_NOSIGNAL | MSG_DONTWAIT) == 1;
}

static void put(struct pool *p, const struct cmsghdr *head)
{
    size_t n = (head->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < n; i++) {
        int fd;
        memcpy(&fd, CMSG_DATA(head) + i * sizeof(int), sizeof(int));
        if (p->n < MOST)
            p->fds[p->n++] = fd;
        else
            (void)close(fd);
    }
}

// One answer. False: there is none.
static bool receive(struct makers *m)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(MAKER_BATCH * sizeof(int))];
    } control;
    unsigned char family = 0;
    struct iovec iov = {.iov_base = &family, .iov_len = 1};
    struct msghdr msg = {.msg_iov = &iov,
                         .msg_iovlen = 1,
                         .msg_control = control.bytes,
                         .msg_controllen = sizeof(control.bytes)};
    if (recvmsg(m->sock, &msg, MSG_CMSG_CLOEXEC | MSG_DONTWAIT) <= 0)
        return false;
    struct pool *p = &m->pools[family == AF_INET6];
    p->asked = false;
    for (struct cmsghdr *head = CMSG_FIRSTHDR(&msg); head; head = CMSG_NXTHDR(&msg, head))
        if (head->cmsg_level == SOL_SOCKET && head->cmsg_type == SCM_RIGHTS)
            put(p, head);
    return true;
}

static void on_sock(struct loop_watch *w, uint32_t events)
{
    struct makers *m = (struct makers *)((char *)w - offsetof(struct makers, watch));
    (void)events;
    while (receive(m))
        continue;
    if (m->short_of && m->pools[0].n > 0 && (!m->pools[1].wanted || m->pools[1].n > 0)) {
        m->short_of = false;
        m->refilled(m->ctx);
    }
}

struct makers *makers_new(struct loop *loop, int sock, bool ipv6, void (*refilled)(void *ctx),
                          void *ctx)
{
    struct makers *m = mem_alloc(sizeof(*m));
    m->watch.fn = on_sock;
    m->loop = loop;
    m->sock = sock;
    m->pools[0] = (struct pool){.family = AF_INET, .wanted = true};
    m->pools[1] = (struct pool){.family = AF_INET6, .wanted = ipv6};
    m->refilled = refilled;
    m->ctx = ctx;
    (void)loop_watch(loop, sock, EPOLLIN, &m->watch);
    (void)makers_ready(m); // the first ones are asked for
    m->short_of = false;
    return m;
}

void makers_free(struct makers *m)
{
    if (!m)
        return;
    loop_unwatch(m->loop, m->sock);
    for (int i = 0; i < 2; i++)
        while (m->pools[i].n > 0)
            (void)close(m->pools[i].fds[--m->pools[i].n]);
    free(m);
}

bool makers_ready(struct makers *m)
{
    bool ready = true;
    for (int i = 0; i < 2; i++) {
        ask(m, &m->pools[i]);
        ready = ready && (!m->pools[i].wanted || m->pools[i].n > 0);
    }
    m->short_of = m->short_of || !ready;
    return ready;
}

int makers_take(struct makers *m, int family)
{
    struct pool *p = &m->pools[family == AF_INET6];
    int fd = p->n > 0 ? p->fds[--p->n] : -EAGAIN;
    ask(m, p);
    return fd;
}
