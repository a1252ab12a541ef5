// SPDX-License-Identifier: Apache-2.0
#include "net/engine.h"

#include "internal/base/buf.h"
#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/base/loop.h"
#include "net/dns.h"
#include "net/echo6.h"
#include "net/engine_priv.h"
#include "net/fast.h"
#include "net/flows.h"
#include "net/frame_build.h"
#include "net/guest_fast.h"
#include "net/guest_net.h"
#include "net/host_local.h"
#include "net/names.h"
#include "net/publish.h"
#include "net/reass.h"
#include "net/shape.h"
#include "net/slirp_side.h"
#include "net/wire.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#define FLOWS_MAX      16384
#define EXPIRE_EACH_US UINT64_C(5000000)
#define FRAMES_A_TURN  64 // before the others get theirs

struct loop *engine_loop(struct engine *e)
{
    return e->loop;
}

const struct netconfig *engine_config(const struct engine *e)
{
    return e->config;
}

static int to_tap(struct engine *e, const void *frame, size_t len)
{
    while (write(e->tap, frame, len) < 0)
        if (errno != EINTR)
            return -errno;
    return 0;
}

int engine_inject(struct engine *e, const void *frame, size_t len)
{
    netlog_frame(e->log, true, frame, len);
    if (!e->shape)
        return to_tap(e, frame, len);
    shape_push(e->shape, SHAPE_IN, frame, len);
    return 0;
}

int engine_give_back(struct engine *e, uint8_t *frame, size_t len)
{
    memcpy(frame, frame_job_mac, sizeof(frame_job_mac));
    memcpy(frame + sizeof(frame_job_mac), frame_back_mac, sizeof(frame_back_mac));
    return to_tap(e, frame, len);
}

static void take_frame(struct engine *e, uint8_t *bytes, size_t len)
{
    struct frame f;
    frame_parse(bytes, len, &e->rules, &f);
    engine_frame_out(e, &f);
}

// While packets are shaped, what the sockets inside answer the job leaves by the tap as well, and
// enters it again as if the network had sent it.
static void on_shaped(void *ctx, enum shape_lane lane, uint8_t *bytes, size_t len)
{
    struct engine *e = ctx;
    if (lane == SHAPE_OUT) {
        take_frame(e, bytes, len);
        return;
    }
    memcpy(bytes, frame_job_mac, sizeof(frame_job_mac));
    memcpy(bytes + sizeof(frame_job_mac), frame_our_mac, sizeof(frame_our_mac));
    (void)to_tap(e, bytes, len);
}

void engine_note(struct engine *e, const char *fmt, ...)
{
    AUTO_BUF struct buf line = {0};
    va_list ap;
    va_start(ap, fmt);
    buf_vaddf(&line, fmt, ap);
    va_end(ap);
    (void)net_msg_send(e->control, NET_MSG_NOTE, line.data, line.len);
}

static int on_expire(void *ctx)
{
    struct engine *e = ctx;
    (void)flows_expire(e->flows, loop_now_us());
    int id = loop_at(e->loop, loop_now_us() + EXPIRE_EACH_US, on_expire, e);
    return id < 0 ? id : 0;
}

static bool has_frames(const struct engine *e)
{
    struct pollfd p = {.fd = e->tap, .events = POLLIN};
    return poll(&p, 1, 0) > 0 && (p.revents & POLLIN);
}

static int on_tap(void *ctx, uint32_t events)
{
    struct engine *e = ctx;
    for (int i = 0; i < FRAMES_A_TURN; i++) {
        ssize_t n = read(e->tap, e->in, FRAME_MAX);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN) {
            if (e->fast && !e->shape)
                fast_tap_empty(e->fast);
            return 0;
        }
        // The device went with its namespace: the job has ended.
        if (n <= 0 || (events & EPOLLERR))
            return n < 0 ? -errno : -EIO;
        if (e->shape && e->fast && frame_is_tcp_to(e->in, (size_t)n, &e->rules)) {
            netlog_frame(e->log, true, e->in, (size_t)n);
            shape_push(e->shape, SHAPE_IN, e->in, (size_t)n);
            continue;
        }
        netlog_frame(e->log, false, e->in, (size_t)n);
        if (e->shape)
            shape_push(e->shape, SHAPE_OUT, e->in, (size_t)n);
        else
            take_frame(e, e->in, (size_t)n);
    }
    return 0;
}

void engine_look_at_tap(struct engine *e)
{
    if (e->fast && !e->shape && !has_frames(e))
        fast_tap_empty(e->fast);
}

static int on_control(void *ctx, uint32_t events)
{
    struct engine *e = ctx;
    AUTO_BUF struct buf body = {0};
    enum net_msg type;
    (void)events;
    int r = net_msg_recv(e->control, MSG_DONTWAIT, &type, &body);
    if (r == -EAGAIN)
        return 0;
    if (r < 0)
        loop_stop(e->loop);
    else if (type == NET_MSG_END)
        e->ending = true;
    else if (type == NET_MSG_RESOLV)
        dns_set_resolv(e->dns, buf_str(&body), body.len);
    return 0;
}

static bool is_local(void *ctx, const struct ip_addr *a)
{
    const struct engine *e = ctx;
    return host_local_is(e->routes, a);
}

int engine_new(const struct engine_parts *parts, struct engine **ret, struct err *err)
{
    struct engine *e = mem_alloc(sizeof(*e));
    *e = (struct engine){.config = parts->config,
                         .control = parts->control,
                         .routes = parts->routes,
                         .tap = -1,
                         .listen4 = -1,
                         .listen6 = -1,
                         .maker = -1};
    e->rules.job4 = e->config->opts.job4;
    if (e->config->ipv6)
        e->rules.job6 = e->config->opts.job6;
    e->names = names_new();
    e->policy = (struct policy){
        .opts = &e->config->opts, .names = e->names, .is_local = is_local, .ctx = e};
    e->flows = flows_new(FLOWS_MAX, engine_on_flow_over, e);
    e->reass = reass_new();
    e->echo6 = echo6_new(e);
    e->in = mem_alloc(FRAME_MAX);
    e->out = mem_alloc(FRAME_MAX);
    int r = loop_new(&e->loop);
    if (r == 0)
        e->log = netlog_new(e->loop, &e->config->opts, &parts->files);
    if (r == 0)
        r = loop_add(e->loop, e->control, EPOLLIN, on_control, e);
    if (r < 0)
        (void)err_sys(err, -r, "cannot prepare the network's loop");
    if (r == 0)
        r = engine_dns_new(e, err);
    if (r == 0 && shape_wanted(&e->config->opts))
        r = shape_new(e->loop, &e->config->opts, on_shaped, e, &e->shape, err);
    if (r == 0)
        r = slirp_side_new(e->config, e->loop, engine_frame_in, e, &e->slirp, err);
    if (r < 0)
        engine_free(e);
    else
        *ret = e;
    return r;
}

static int attach_fast(struct engine *e, const struct guest_net_made *made, int fds[],
                       struct err *err)
{
    const struct fast_limits limits = fast_limits_of_process();
    e->listen4 = TAKE_FD(fds[1 + FAST_FD_LISTEN4]);
    e->maker = TAKE_FD(fds[1 + FAST_FD_MAKER]);
    if (made->n_fds > 1 + FAST_FD_LISTEN6)
        e->listen6 = TAKE_FD(fds[1 + FAST_FD_LISTEN6]);
    return fast_new(e, &limits, e->listen4, e->listen6, &e->fast, err);
}

enum { PUBLISH_TRIES = 200, PUBLISH_PAUSE_MS = 5 };

// bryo, which bound the port and sent it, may not have closed its own copy yet.
static int publish_one(struct engine *e, const struct net_port *port)
{
    int r = slirp_side_publish(e->slirp, e->config, port);
    for (int tries = 1; r == -EADDRINUSE && tries < PUBLISH_TRIES; tries++) {
        (void)poll(NULL, 0, PUBLISH_PAUSE_MS);
        r = slirp_side_publish(e->slirp, e->config, port);
    }
    return r;
}

// libslirp makes its own sockets: those that hold the ports make way for them.
static int publish_by_slirp(struct engine *e, struct err *err)
{
    for (size_t i = 0; i < e->config->n_ports; i++) {
        const struct net_port *port = &e->config->ports[i];
        if (port->udp)
            continue;
        (void)close(port->fd);
        int r = publish_one(e, port);
        if (r < 0)
            return err_sys(err, -r, "libslirp cannot publish port %u", port->host);
    }
    return 0;
}

int engine_attach(struct engine *e, const struct guest_net_made *made, int fds[], struct err *err)
{
    e->tap = made->n_fds ? TAKE_FD(fds[0]) : -1;
    int r = made->fast ? attach_fast(e, made, fds, err) : 0;
    if (r == 0 && e->config->n_ports > 0)
        r = publish_new(e, e->fast, e->maker, &e->publish, err);
    if (r == 0 && !e->fast)
        r = publish_by_slirp(e, err);
    if (r < 0)
        return r;
    if (!made->fast && e->config->fast)
        engine_note(e, NET_NOTE_SLOW ", at a third of the speed: %s", made->why);
    r = loop_add(e->loop, e->tap, EPOLLIN, on_tap, e);
    if (r == 0)
        r = on_expire(e);
    return r < 0 ? err_sys(err, -r, "cannot watch the job's network interface") : 0;
}

void engine_free(struct engine *e)
{
    if (!e)
        return;
    publish_free(e->publish);
    fast_free(e->fast);
    flows_free(e->flows);
    echo6_free(e->echo6);
    slirp_side_free(e->slirp);
    engine_dns_free(e);
    netlog_free(e->log);
    names_free(e->names);
    reass_free(e->reass);
    shape_free(e->shape);
    loop_free(e->loop);
    fd_closep(&e->tap);
    fd_closep(&e->listen4);
    fd_closep(&e->listen6);
    fd_closep(&e->maker);
    free(e->in);
    free(e->out);
    free(e);
}

// One descriptor more than libslirp's own: the loop's, which is ready when one of its is.
static int turn(struct engine *e)
{
    struct pollfd *fds;
    int timeout = loop_timeout_ms(e->loop);
    size_t n = slirp_side_wants(e->slirp, &fds, &timeout);
    fds[0] = (struct pollfd){.fd = loop_epoll_fd(e->loop), .events = POLLIN};
    if (n == 0) {
        int r = loop_step(e->loop, timeout);
        slirp_side_polled(e->slirp);
        return r;
    }
    if (poll(fds, n + 1, timeout) < 0) {
        if (errno != EINTR)
            return -errno;
        for (size_t i = 0; i <= n; i++)
            fds[i].revents = 0;
    }
    slirp_side_polled(e->slirp);
    return loop_step(e->loop, 0);
}

static void say_notes(struct engine *e)
{
    AUTO_BUF struct buf notes = {0};
    netlog_finish(e->log, &notes);
    for (const char *line = buf_str(&notes); *line;) {
        size_t n = strcspn(line, "\n");
        engine_note(e, "%.*s", (int)n, line);
        line += n + (line[n] == '\n');
    }
}

enum { DRAIN_MAX_US = 2000000 };

static int on_late(void *ctx)
{
    (void)ctx;
    return 0;
}

// What the job sent before it ended is on its way, in the kernel of its namespace and here. On the
// machine itself the kernel would see to it; not for ever either.
static void drain(struct engine *e)
{
    uint64_t end = loop_now_us() + DRAIN_MAX_US;
    loop_remove(e->loop, e->control);
    (void)loop_at(e->loop, end, on_late, e);
    while (loop_now_us() < end) {
        bool more = has_frames(e);
        bool spliced = e->fast && fast_finish(e->fast) > 0;
        bool by_slirp = flows_open_tcp(e->flows) || slirp_side_sending(e->slirp);
        if ((!more && !spliced && !by_slirp) || turn(e) < 0)
            return;
    }
}

int engine_run(struct engine *e)
{
    int r = 0;
    while (r >= 0 && !e->ending && !loop_is_stopped(e->loop))
        r = turn(e);
    if (r >= 0 && e->ending)
        drain(e);
    // What still goes on ends with the job, and is written down as it stands.
    publish_free(e->publish);
    e->publish = NULL;
    fast_free(e->fast);
    e->fast = NULL;
    flows_free(e->flows);
    e->flows = NULL;
    say_notes(e);
    return r < 0 ? r : 0;
}
