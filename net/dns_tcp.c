// SPDX-License-Identifier: Apache-2.0
#include "net/dns_tcp.h"

#include "internal/base/buf.h"
#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/base/loop.h"
#include "net/dns.h"
#include "net/dns_msg.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#define UNSENT_MAX (128U << 10) // bytes that wait for a slow reader

struct conn {
    struct conn *next;
    struct dns_tcp *t;
    int fd;
    int timer;
    bool over; // to be freed when the present handler is done
    struct dns_asker self;
    struct buf in;
    struct buf out;
};

struct dns_tcp {
    struct loop *loop;
    struct dns *dns;
    int fd;
    uint64_t serial;
    size_t count;
    struct conn *conns;
};

static void conn_free(struct conn *c)
{
    struct conn **at = &c->t->conns;
    while (*at != c)
        at = &(*at)->next;
    *at = c->next;
    c->t->count--;
    if (c->t->dns)
        dns_forget(c->t->dns, &c->self);
    loop_cancel(c->t->loop, c->timer);
    loop_remove(c->t->loop, c->fd);
    fd_closep(&c->fd);
    buf_done(&c->in);
    buf_done(&c->out);
    free(c);
}

static int on_idle(void *ctx)
{
    struct conn *c = ctx;
    c->timer = 0;
    conn_free(c);
    return 0;
}

static void touch(struct conn *c)
{
    loop_cancel(c->t->loop, c->timer);
    c->timer = loop_at(c->t->loop, loop_now_us() + DNS_TCP_IDLE_US, on_idle, c);
}

static void flush(struct conn *c)
{
    while (c->out.len) {
        ssize_t n = send(c->fd, c->out.data, c->out.len, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            break;
        if (n < 0) {
            c->over = true;
            return;
        }
        memmove(c->out.data, c->out.data + n, c->out.len - (size_t)n);
        c->out.len -= (size_t)n;
    }
    // While answers wait nothing more is read: the job's own window closes.
    if (loop_change(c->t->loop, c->fd, c->out.len ? EPOLLOUT : EPOLLIN) < 0)
        c->over = true;
}

// Whole messages out of what came. A question may be answered, and the connection be over, while
// it is asked.
static void take_messages(struct conn *c)
{
    size_t at = 0;
    while (!c->over && c->in.len - at >= 2) {
        const uint8_t *p = (const uint8_t *)c->in.data + at;
        size_t n = (size_t)(p[0] << 8 | p[1]);
        // No question is longer; a job cannot make more be kept.
        if (n < DNS_HEADER_LEN || n > 2 * (size_t)DNS_QUERY_MAX) {
            c->over = true;
            return;
        }
        if (c->in.len - at - 2 < n)
            break;
        dns_ask(c->t->dns, &c->self, p + 2, n);
        at += 2 + n;
    }
    memmove(c->in.data, c->in.data + at, c->in.len - at);
    c->in.len -= at;
}

static int on_conn(void *ctx, uint32_t events)
{
    struct conn *c = ctx;
    if (events & EPOLLOUT) {
        flush(c);
    } else {
        char *to = buf_reserve(&c->in, 4096);
        ssize_t n = recv(c->fd, to, 4096, MSG_DONTWAIT);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return 0;
        if (n <= 0) {
            c->over = true;
        } else {
            c->in.len += (size_t)n;
            take_messages(c);
        }
    }
    if (c->over)
        conn_free(c);
    else
        touch(c);
    return 0;
}

static struct ip_addr peer_of(const struct sockaddr_in *peer)
{
    return ip_from_v4(&peer->sin_addr);
}

static int on_listener(void *ctx, uint32_t events)
{
    struct dns_tcp *t = ctx;
    struct sockaddr_in peer = {0};
    socklen_t len = sizeof(peer);
    (void)events;
    AUTO_FD int fd = accept4(t->fd, (struct sockaddr *)&peer, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0 || !t->dns || t->count >= DNS_TCP_CONNECTIONS)
        return 0;
    struct conn *c = mem_alloc(sizeof(*c));
    *c = (struct conn){.next = t->conns, .t = t, .fd = TAKE_FD(fd)};
    c->self = (struct dns_asker){
        .src = peer_of(&peer), .sport = ntohs(peer.sin_port), .tcp = true, .serial = ++t->serial};
    t->conns = c;
    t->count++;
    if (loop_add(t->loop, c->fd, EPOLLIN, on_conn, c) < 0)
        conn_free(c);
    else
        touch(c);
    return 0;
}

int dns_tcp_new(struct loop *loop, struct dns_tcp **ret, uint16_t *ret_port, struct err *err)
{
    struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(addr);
    AUTO_FD int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0 || listen(fd, 64) < 0 ||
        getsockname(fd, (struct sockaddr *)&addr, &len) < 0)
        return err_sys(err, errno, "cannot listen for the job's DNS over TCP on 127.0.0.1");
    struct dns_tcp *t = mem_alloc(sizeof(*t));
    *t = (struct dns_tcp){.loop = loop, .fd = fd};
    int r = loop_add(loop, fd, EPOLLIN, on_listener, t);
    if (r < 0) {
        free(t);
        return err_sys(err, -r, "cannot watch the job's DNS over TCP");
    }
    (void)TAKE_FD(fd);
    *ret_port = ntohs(addr.sin_port);
    *ret = t;
    return 0;
}

void dns_tcp_serve(struct dns_tcp *t, struct dns *dns)
{
    t->dns = dns;
}

void dns_tcp_free(struct dns_tcp *t)
{
    if (!t)
        return;
    for (struct conn *c = t->conns, *next; c; c = next) {
        next = c->next;
        conn_free(c);
    }
    loop_remove(t->loop, t->fd);
    fd_closep(&t->fd);
    free(t);
}

void dns_tcp_reply(struct dns_tcp *t, const struct dns_asker *to, const void *msg, size_t n)
{
    const uint8_t head[2] = {(uint8_t)(n >> 8), (uint8_t)n};
    struct conn *c = t->conns;
    while (c && c->self.serial != to->serial)
        c = c->next;
    if (!c || c->over || n > DNS_MSG_MAX)
        return;
    if (c->out.len + n > UNSENT_MAX) {
        c->over = true;
        (void)shutdown(c->fd, SHUT_RDWR); // wakes the handler, which lets it go
        return;
    }
    buf_add(&c->out, head, sizeof(head));
    buf_add(&c->out, msg, n);
    flush(c);
    if (c->over)
        (void)shutdown(c->fd, SHUT_RDWR);
}
