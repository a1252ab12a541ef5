// SPDX-License-Identifier: Apache-2.0
#include "net/echo6.h"

#include "internal/base/buf.h"
#include "internal/base/cleanup.h"
#include "internal/base/loop.h"
#include "net/engine_priv.h"
#include "net/frame_build.h"
#include "net/ipsock.h"

#include <errno.h>
#include <netinet/icmp6.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

// Whoever pings more at a time loses the answers to the oldest.
enum { PINGS = 32 };

// Answers taken from one socket before others have their turn.
enum { TURN = 64 };

struct ping {
    struct echo6 *owner;
    int fd; // -1: a free place
    uint64_t last;
    struct ip_addr job;
    struct ip_addr to;
    uint16_t id; // the job's; the kernel has its own
};

struct echo6 {
    struct engine *engine;
    struct ping pings[PINGS];
    uint8_t message[FRAME_MAX];
    uint8_t frame[FRAME_MAX];
};

static int on_answer(void *ctx, uint32_t events)
{
    struct ping *p = ctx;
    struct echo6 *e = p->owner;
    (void)events;
    for (int i = 0; i < TURN; i++) {
        ssize_t n = recv(p->fd, e->message, sizeof(e->message), MSG_DONTWAIT);
        if (n < 0 && errno == EAGAIN)
            break;
        if (n < (ssize_t)sizeof(struct icmp6_hdr) || e->message[0] != ICMP6_ECHO_REPLY)
            continue;
        size_t len = frame_build_echo6(e->frame, &p->to, &p->job, p->id, e->message, (size_t)n);
        if (len > 0)
            engine_frame_in(e->engine, e->frame, len);
    }
    return 0;
}

static void end(struct ping *p)
{
    if (p->fd >= 0)
        loop_remove(engine_loop(p->owner->engine), p->fd);
    fd_closep(&p->fd);
}

static int begin(struct ping *p, const struct frame *frame)
{
    union ipsock to;
    AUTO_FD int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_ICMPV6);
    if (fd < 0 || connect(fd, &to.sa, ipsock_set(&to, &frame->dst, 0)) < 0)
        return -errno;
    end(p);
    int r = loop_add(engine_loop(p->owner->engine), fd, EPOLLIN, on_answer, p);
    if (r < 0)
        return r;
    p->fd = TAKE_FD(fd);
    p->job = frame->src;
    p->to = frame->dst;
    p->id = frame->sport;
    return 0;
}

int echo6_input(struct echo6 *e, const struct frame *frame)
{
    struct ping *p = &e->pings[0]; // that of this request; else a free or the oldest place
    for (struct ping *q = e->pings; q < e->pings + PINGS; q++) {
        if (q->fd >= 0 && q->id == frame->sport && ip_equal(&q->to, &frame->dst)) {
            p = q;
            break;
        }
        if (q->last < p->last)
            p = q;
    }
    bool known = p->fd >= 0 && p->id == frame->sport && ip_equal(&p->to, &frame->dst);
    int r = known ? 0 : begin(p, frame);
    if (r < 0)
        return r;
    p->last = loop_now_us();
    const uint8_t *message = frame->bytes + frame->l4;
    return send(p->fd, message, frame->len - frame->l4, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno
                                                                                         : 0;
}

struct echo6 *echo6_new(struct engine *engine)
{
    struct echo6 *e = mem_alloc(sizeof(*e));
    e->engine = engine;
    for (size_t i = 0; i < PINGS; i++)
        e->pings[i] = (struct ping){.owner = e, .fd = -1};
    return e;
}

void echo6_free(struct echo6 *e)
{
    if (!e)
        return;
    for (size_t i = 0; i < PINGS; i++)
        end(&e->pings[i]);
    free(e);
}
