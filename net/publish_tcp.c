// SPDX-License-Identifier: Apache-2.0
#include "internal/base/buf.h"
#include "internal/base/err.h"
#include "internal/base/loop.h"
#include "net/fast.h"
#include "net/fast_priv.h"
#include "net/makers.h"
#include "net/publish_priv.h"
#include "net/splice.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

struct port {
    struct loop_watch watch;
    struct publish_tcp *owner;
    int fd;
    uint16_t job;
    bool ready; // clients may wait
};

struct publish_tcp {
    struct engine *engine;
    struct fast *fast;
    struct makers *makers;
    struct incoming *waiting; // those whose connection to the job is under way
    struct port *ports;
    size_t n_ports;
};

// A client that was accepted, on its way into the job.
struct incoming {
    struct loop_watch watch; // of inside
    struct loop_task task;   // frees it
    struct incoming *next, **prev;
    struct publish_tcp *owner;
    int client;
    int inside; // socket of the job's namespace
    struct ip_addr from;
    uint16_t from_port;
    uint16_t job_port;
    bool again;        // refused over IPv6, tried over IPv4
    struct flow *flow; // owned
};

static void free_incoming(struct loop_task *t)
{
    free((struct incoming *)((char *)t - offsetof(struct incoming, task)));
}

// in->client and in->inside are closed or handed on.
static void forget(struct incoming *in)
{
    *in->prev = in->next;
    if (in->next)
        in->next->prev = in->prev;
    loop_defer(engine_loop(in->owner->engine), &in->task);
}

static void flow_over(struct engine *engine, struct flow *flow, int error)
{
    flow->error = error;
    engine_flow_ended(engine, flow);
    free(flow);
}

static void give_up(struct incoming *in, int error)
{
    fd_closep(&in->inside);
    splice_reset(in->client); // as the job's port would have answered, had the client reached it
    in->client = -1;
    flow_over(in->owner->engine, in->flow, error);
    forget(in);
}

struct published {
    struct engine *engine;
    struct flow *flow;
};

static void on_ended(void *ctx, const struct splice_end *end)
{
    struct published *p = ctx;
    p->flow->bytes_in = end->a_to_b;
    p->flow->bytes_out = end->b_to_a;
    flow_over(p->engine, p->flow, end->error);
    free(p);
}

static void join(struct incoming *in)
{
    struct published *p = mem_alloc(sizeof(*p));
    *p = (struct published){.engine = in->owner->engine, .flow = in->flow};
    int r = splice_join(fast_splicer(in->owner->fast), in->client, in->inside, on_ended, p);
    in->client = in->inside = -1;
    if (r < 0) {
        const struct splice_end none = {.error = -r};
        on_ended(p, &none);
    }
    forget(in);
}

static int connect_inside(struct incoming *in);

static void connected(struct incoming *in, int error)
{
    if (error == 0) {
        join(in);
        return;
    }
    // A server that listens on IPv4 alone is reached by clients of IPv6 too, by way of the gateway.
    if (error == ECONNREFUSED && in->from.family == IP_V6 && !in->again) {
        in->again = true;
        fd_closep(&in->inside);
        int r = connect_inside(in);
        if (r == -EINPROGRESS)
            return;
        error = -r;
        if (error == 0) {
            join(in);
            return;
        }
    }
    give_up(in, error);
}

static void on_inside(struct loop_watch *w, uint32_t events)
{
    struct incoming *in = (struct incoming *)((char *)w - offsetof(struct incoming, watch));
    int error = 0;
    socklen_t n = sizeof(error);
    if (in->inside < 0 || !(events & (EPOLLOUT | EPOLLERR | EPOLLHUP)))
        return;
    if (getsockopt(in->inside, SOL_SOCKET, SO_ERROR, &error, &n) < 0)
        error = errno;
    loop_unwatch(engine_loop(in->owner->engine), in->inside);
    connected(in, error);
}

// The client's own port, unless it is taken or the kernel does not give it (below 1024).
static int bind_as(int fd, const struct ip_addr *seen, uint16_t port)
{
    union ipsock from;
    socklen_t n = ipsock_set(&from, seen, port);
    if (bind(fd, &from.sa, n) == 0)
        return 0;
    n = ipsock_set(&from, seen, 0);
    return bind(fd, &from.sa, n) == 0 ? 0 : -errno;
}

// 0, -EINPROGRESS (in->watch is told) or -errno.
static int connect_inside(struct incoming *in)
{
    const struct netconfig *config = engine_config(in->owner->engine);
    struct ip_addr seen;
    struct ip_addr job;
    union ipsock to;
    if (!publish_route(config, &in->from, &seen, &job))
        return -EAFNOSUPPORT;
    if (in->again) {
        seen = config->opts.gateway4;
        job = config->opts.job4;
    }
    in->inside = makers_take(in->owner->makers, job.family == IP_V6 ? AF_INET6 : AF_INET);
    if (in->inside < 0)
        return in->inside;
    int r = bind_as(in->inside, &seen, in->from_port);
    if (r < 0)
        return r;
    in->flow->key.src = job;
    in->flow->key.dst = seen;
    r = fast_connect(in->inside, &to, ipsock_set(&to, &job, in->job_port));
    if (r != -EINPROGRESS)
        return r;
    r = loop_watch(engine_loop(in->owner->engine), in->inside, EPOLLOUT, &in->watch);
    return r < 0 ? r : -EINPROGRESS;
}

static void take_in(struct port *port, int client, const union ipsock *peer)
{
    struct publish_tcp *p = port->owner;
    struct incoming *in = mem_alloc(sizeof(*in));
    *in = (struct incoming){.watch = {.fn = on_inside},
                            .task = {.fn = free_incoming},
                            .next = p->waiting,
                            .prev = &p->waiting,
                            .owner = p,
                            .client = client,
                            .inside = -1,
                            .job_port = port->job,
                            .flow = mem_alloc(sizeof(struct flow))};
    if (in->next)
        in->next->prev = &in->next;
    p->waiting = in;
    in->from = ipsock_addr(peer, &in->from_port);
    *in->flow = (struct flow){.key = {.proto = NET_PROTO_TCP,
                                      .sport = port->job,
                                      .dport = in->from_port,
                                      .dst = in->from},
                              .host = in->from,
                              .verdict = FLOW_ALLOWED,
                              .published = true,
                              .fast = true,
                              .start_us = loop_now_us()};
    fast_socket_options(client);
    int r = connect_inside(in);
    if (r != -EINPROGRESS)
        connected(in, -r);
}

static void accept_all(struct port *port)
{
    while (port->ready && fast_has_room(port->owner->fast) && makers_ready(port->owner->makers)) {
        union ipsock peer;
        socklen_t n = sizeof(peer);
        int fd = accept4(port->fd, &peer.sa, &n, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd >= 0)
            take_in(port, fd, &peer);
        else if (errno != ECONNABORTED && errno != EINTR)
            port->ready = false;
    }
}

static void on_port(struct loop_watch *w, uint32_t events)
{
    struct port *port = (struct port *)((char *)w - offsetof(struct port, watch));
    (void)events;
    port->ready = true;
    accept_all(port);
}

static void on_refilled(void *ctx)
{
    struct publish_tcp *p = ctx;
    for (size_t i = 0; i < p->n_ports; i++)
        accept_all(&p->ports[i]);
}

struct publish_tcp *publish_tcp_new(struct engine *engine, struct fast *fast, int maker,
                                    struct err *err)
{
    const struct netconfig *config = engine_config(engine);
    struct publish_tcp *p = mem_alloc(sizeof(*p));
    *p = (struct publish_tcp){.engine = engine, .fast = fast};
    p->ports = mem_alloc(config->n_ports * sizeof(*p->ports));
    p->makers = makers_new(engine_loop(engine), maker, config->ipv6, on_refilled, p);
    for (size_t i = 0; i < config->n_ports; i++) {
        if (config->ports[i].udp)
            continue;
        struct port *port = &p->ports[p->n_ports];
        *port = (struct port){.watch.fn = on_port,
                              .owner = p,
                              .fd = config->ports[i].fd,
                              .job = config->ports[i].job};
        int r = loop_watch(engine_loop(engine), port->fd, EPOLLIN, &port->watch);
        if (r < 0) {
            (void)err_sys(err, -r, "cannot watch the published port %u", config->ports[i].host);
            publish_tcp_free(p);
            return NULL;
        }
        p->n_ports++;
    }
    return p;
}

void publish_tcp_free(struct publish_tcp *p)
{
    if (!p)
        return;
    while (p->waiting)
        give_up(p->waiting, ECANCELED);
    for (size_t i = 0; i < p->n_ports; i++)
        loop_unwatch(engine_loop(p->engine), p->ports[i].fd);
    makers_free(p->makers);
    free(p->ports);
    free(p);
}
