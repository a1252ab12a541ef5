// SPDX-License-Identifier: Apache-2.0
#include "net/dns_upstream.h"

#include "internal/base/buf.h"
#include "internal/base/cleanup.h"
#include "internal/base/loop.h"
#include "net/dns_msg.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/socket.h>

#define ROUNDS 2

const struct dns_upstream_times dns_upstream_default_times = {
    .udp_us = 1500000, .tcp_us = 5000000, .silent_us = 30000000};

// One question on its way through the resolvers.
struct exchange {
    struct exchange *next;
    struct dns_upstream *up;
    struct dns_question q;
    struct dns_upstream_server servers[NET_DNS_MAX];
    size_t n_servers;
    size_t attempt; // servers[attempt % n_servers] is asked
    bool tcp;
    uint16_t id;
    int fd;
    int timer;
    struct buf in;   // TCP: length and message, as far as they came
    struct buf out;  // TCP: what is still to be sent
    struct buf last; // an answer that says "cannot", for when no other resolver can
    dns_upstream_fn *fn;
    void *ctx;
};

struct silent {
    struct net_dns_server at;
    uint64_t until_us;
};

struct dns_upstream {
    struct loop *loop;
    struct dns_upstream_times times;
    struct dns_upstream_server servers[NET_DNS_MAX];
    size_t n_servers;
    struct silent silent[NET_DNS_MAX];
    struct exchange *exchanges;
    size_t count;
};

static void attempt(struct exchange *x);

struct dns_upstream *dns_upstream_new(struct loop *loop, const struct dns_upstream_times *times)
{
    struct dns_upstream *u = mem_alloc(sizeof(*u));
    u->loop = loop;
    u->times = *times;
    return u;
}

static void hang_up(struct exchange *x)
{
    loop_cancel(x->up->loop, x->timer);
    x->timer = 0;
    loop_remove(x->up->loop, x->fd);
    fd_closep(&x->fd);
    buf_clear(&x->in);
    buf_clear(&x->out);
}

static void exchange_free(struct exchange *x)
{
    hang_up(x);
    buf_done(&x->in);
    buf_done(&x->out);
    buf_done(&x->last);
    free(x);
}

void dns_upstream_free(struct dns_upstream *u)
{
    while (u && u->exchanges) {
        struct exchange *x = u->exchanges;
        u->exchanges = x->next;
        exchange_free(x);
    }
    free(u);
}

void dns_upstream_set(struct dns_upstream *u, const struct dns_upstream_server *servers, size_t n)
{
    u->n_servers = n < NET_DNS_MAX ? n : NET_DNS_MAX;
    if (u->n_servers)
        memcpy(u->servers, servers, u->n_servers * sizeof(*servers));
}

static bool same(const struct net_dns_server *a, const struct net_dns_server *b)
{
    return a->port == b->port && ip_equal(&a->addr, &b->addr);
}

static bool is_silent(const struct dns_upstream *u, const struct net_dns_server *at, uint64_t now)
{
    for (size_t i = 0; i < NET_DNS_MAX; i++)
        if (u->silent[i].until_us > now && same(&u->silent[i].at, at))
            return true;
    return false;
}

// Remembers it in the place of its own, or in the one that is over first.
static void set_silent(struct dns_upstream *u, const struct net_dns_server *at, uint64_t until_us)
{
    struct silent *place = &u->silent[0];
    for (size_t i = 0; i < NET_DNS_MAX; i++) {
        if (u->silent[i].until_us < place->until_us)
            place = &u->silent[i];
        if (same(&u->silent[i].at, at)) {
            place = &u->silent[i];
            break;
        }
    }
    *place = (struct silent){*at, until_us};
}

static const struct dns_upstream_server *server_of(const struct exchange *x)
{
    return &x->servers[x->attempt % x->n_servers];
}

// The end: takes it off the list before anything is called.
static void finish(struct exchange *x, uint8_t *msg, size_t n)
{
    struct exchange **at = &x->up->exchanges;
    while (*at != x)
        at = &(*at)->next;
    *at = x->next;
    x->up->count--;
    if (msg)
        dns_reply_set_id(msg, x->q.id);
    x->fn(x->ctx, msg, n);
    exchange_free(x);
}

static void next_server(struct exchange *x)
{
    hang_up(x);
    x->attempt++;
    if (x->attempt < ROUNDS * x->n_servers)
        attempt(x);
    else if (x->last.len)
        finish(x, (uint8_t *)x->last.data, x->last.len);
    else
        finish(x, NULL, 0);
}

static int on_timeout(void *ctx)
{
    struct exchange *x = ctx;
    x->timer = 0;
    set_silent(x->up, &server_of(x)->at, loop_now_us() + x->up->times.silent_us);
    next_server(x);
    return 0;
}

// A message that answers the question.
static void answered(struct exchange *x, uint8_t *msg, size_t n)
{
    int rcode = dns_reply_rcode(msg);
    bool cannot = rcode == DNS_SERVFAIL || rcode == DNS_REFUSED || rcode == DNS_NOTIMP;
    set_silent(x->up, &server_of(x)->at, 0);
    if (!cannot) {
        finish(x, msg, n);
        return;
    }
    // Perhaps another one can; once each is enough.
    buf_clear(&x->last);
    buf_add(&x->last, msg, n);
    if (x->attempt + 1 >= x->n_servers)
        x->attempt = ROUNDS * x->n_servers;
    next_server(x);
}

static int on_udp(void *ctx, uint32_t events)
{
    struct exchange *x = ctx;
    uint8_t msg[4096];
    (void)events;
    ssize_t n = recv(x->fd, msg, sizeof(msg), MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    if (n < 0) {
        // ICMP: nobody listens, or there is no way there
        set_silent(x->up, &server_of(x)->at, loop_now_us() + x->up->times.silent_us);
        next_server(x);
    } else if (dns_reply_fits(&x->q, x->id, msg, (size_t)n)) {
        answered(x, msg, (size_t)n);
    } // else: forged or late; the right one may still come
    return 0;
}

static int tcp_send(struct exchange *x)
{
    ssize_t n = send(x->fd, x->out.data, x->out.len, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : -errno;
    memmove(x->out.data, x->out.data + n, x->out.len - (size_t)n);
    x->out.len -= (size_t)n;
    return x->out.len ? 0 : loop_change(x->up->loop, x->fd, EPOLLIN);
}

// 1 when a whole message is there.
static int tcp_receive(struct exchange *x)
{
    size_t want = 2;
    if (x->in.len >= 2)
        want += (size_t)((uint8_t)x->in.data[0] << 8 | (uint8_t)x->in.data[1]);
    char *to = buf_reserve(&x->in, want - x->in.len);
    ssize_t n = recv(x->fd, to, want - x->in.len, MSG_DONTWAIT);
    if (n <= 0)
        return n < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -ECONNRESET;
    x->in.len += (size_t)n;
    return x->in.len > 2 && x->in.len == want;
}

static int on_tcp(void *ctx, uint32_t events)
{
    struct exchange *x = ctx;
    int r = 0;
    if (x->out.len && events & (EPOLLOUT | EPOLLERR | EPOLLHUP))
        r = tcp_send(x);
    else if (events & (EPOLLIN | EPOLLERR | EPOLLHUP))
        r = tcp_receive(x);
    if (r == 1) {
        uint8_t *msg = (uint8_t *)x->in.data + 2;
        size_t n = x->in.len - 2;
        if (dns_reply_fits(&x->q, x->id, msg, n)) {
            // finish() and next_server() let go of the buffer that the message is in
            struct buf whole = x->in;
            x->in = (struct buf){0};
            answered(x, msg, n);
            buf_done(&whole);
            return 0;
        }
        r = -EBADMSG;
    }
    if (r < 0)
        next_server(x);
    return 0;
}

static socklen_t fill_address(const struct dns_upstream_server *s, struct sockaddr_storage *out)
{
    memset(out, 0, sizeof(*out));
    if (s->at.addr.family == IP_V4) {
        struct sockaddr_in *in = (struct sockaddr_in *)out;
        in->sin_family = AF_INET;
        in->sin_port = htons(s->at.port);
        memcpy(&in->sin_addr, s->at.addr.bytes, 4);
        return sizeof(*in);
    }
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)out;
    in6->sin6_family = AF_INET6;
    in6->sin6_port = htons(s->at.port);
    in6->sin6_scope_id = s->scope;
    memcpy(&in6->sin6_addr, s->at.addr.bytes, 16);
    return sizeof(*in6);
}

static int start(struct exchange *x)
{
    struct dns_upstream *u = x->up;
    struct sockaddr_storage addr;
    uint8_t query[DNS_QUERY_MAX];
    socklen_t addr_len = fill_address(server_of(x), &addr);
    int kind = (x->tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_NONBLOCK | SOCK_CLOEXEC;
    if (getrandom(&x->id, sizeof(x->id), 0) != (ssize_t)sizeof(x->id))
        return -EIO;
    size_t n = dns_build_query(&x->q, x->id, query);
    x->fd = socket(addr.ss_family, kind, 0);
    if (x->fd < 0 ||
        (connect(x->fd, (struct sockaddr *)&addr, addr_len) < 0 && errno != EINPROGRESS))
        return -errno;
    uint64_t wait =
        x->tcp ? u->times.tcp_us : u->times.udp_us * (x->attempt >= x->n_servers ? 2 : 1);
    int r = loop_add(u->loop, x->fd, x->tcp ? EPOLLOUT : EPOLLIN, x->tcp ? on_tcp : on_udp, x);
    if (r < 0)
        return r;
    x->timer = loop_at(u->loop, loop_now_us() + wait, on_timeout, x);
    if (!x->tcp)
        return send(x->fd, query, n, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno : 0;
    const uint8_t len[2] = {(uint8_t)(n >> 8), (uint8_t)n};
    buf_add(&x->out, len, 2);
    buf_add(&x->out, query, n);
    return 0;
}

static int on_failed_start(void *ctx)
{
    struct exchange *x = ctx;
    x->timer = 0;
    next_server(x);
    return 0;
}

// A resolver that cannot even be sent to (no route) is passed over, not from within the caller: its
// callback comes later, always.
static void attempt(struct exchange *x)
{
    if (start(x) == 0)
        return;
    hang_up(x);
    x->timer = loop_at(x->up->loop, loop_now_us(), on_failed_start, x);
}

// Those that were silent of late come last.
static void order_servers(struct exchange *x, uint64_t now)
{
    const struct dns_upstream *u = x->up;
    size_t at = 0;
    for (int silent = 0; silent < 2; silent++)
        for (size_t i = 0; i < u->n_servers; i++)
            if (is_silent(u, &u->servers[i].at, now) == (silent == 1))
                x->servers[at++] = u->servers[i];
    x->n_servers = u->n_servers;
}

int dns_upstream_ask(struct dns_upstream *u, const struct dns_question *q, bool tcp,
                     dns_upstream_fn *fn, void *ctx)
{
    if (u->n_servers == 0)
        return -ENOENT;
    if (u->count >= DNS_UPSTREAM_MAX)
        return -EBUSY;
    struct exchange *x = mem_alloc(sizeof(*x));
    *x = (struct exchange){.up = u, .q = *q, .tcp = tcp, .fd = -1, .fn = fn, .ctx = ctx};
    order_servers(x, loop_now_us());
    x->next = u->exchanges;
    u->exchanges = x;
    u->count++;
    attempt(x);
    return 0;
}
