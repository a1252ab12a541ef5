// SPDX-License-Identifier: Apache-2.0
#include "net/slirp_side.h"

#include "internal/base/buf.h"
#include "internal/base/err.h"
#include "internal/base/loop.h"
#include "internal/base/parse.h"
#include "net/frame_build.h"
#include "net/ipsock.h"

#include <errno.h>
#include <slirp/libslirp.h>
#include <stdlib.h>
#include <string.h>

// What libslirp sends may be larger than the interface's MTU: the job's kernel takes in whatever
// the tap has. (TCP keeps to the size that the job asks for.)
#define SLIRP_MTU 65521 // its largest

// Version 4 of the config is the first that can turn DHCP off; later ones add nothing that is used
// here, and change which callbacks are asked for.
#define CONFIG_VERSION_USED 4

struct slirp_side {
    Slirp *slirp;
    struct loop *loop;
    slirp_send_fn *send;
    void *ctx;
    struct pollfd *fds; // [0] is the caller's
    size_t n_fds;       // of libslirp's own
    size_t room;
    bool stale;      // something happened since it said what it waits for
    uint64_t due_us; // when it wants to be called though nothing happened
};

struct slirp_timer {
    struct slirp_side *side;
    SlirpTimerCb fn;
    void *arg;
    int id;
};

unsigned slirp_side_config_version(const char *library)
{
    // Minor releases of 4.x that brought a version: see the library's CHANGELOG.md.
    static const struct {
        uint64_t minor;
        unsigned version;
    } releases[] = {{9, 6}, {8, 5}, {7, 4}, {3, 3}, {2, 2}, {1, 1}};
    uint64_t minor = 0;
    if (!library || strncmp(library, "4.", 2) != 0)
        return 0;
    size_t n = strspn(library + 2, "0123456789");
    if (parse_u64n(library + 2, n, 0, 1000000, &minor) < 0)
        return 0;
    for (size_t i = 0; i < sizeof(releases) / sizeof(releases[0]); i++)
        if (minor >= releases[i].minor)
            return releases[i].version < CONFIG_VERSION_USED ? releases[i].version
                                                             : CONFIG_VERSION_USED;
    return 0;
}

static ssize_t on_send(const void *frame, size_t len, void *opaque)
{
    struct slirp_side *s = opaque;
    s->send(s->ctx, frame, len);
    return (ssize_t)len;
}

// What a job does wrong is not worth a word: it would be the job's to write.
static void on_guest_error(const char *msg, void *opaque)
{
    (void)msg, (void)opaque;
}

static int64_t on_clock(void *opaque)
{
    (void)opaque;
    return (int64_t)loop_now_us() * 1000;
}

static void *on_timer_new(SlirpTimerCb fn, void *arg, void *opaque)
{
    struct slirp_timer *t = mem_alloc(sizeof(*t));
    *t = (struct slirp_timer){.side = opaque, .fn = fn, .arg = arg};
    return t;
}

static void on_timer_free(void *timer, void *opaque)
{
    struct slirp_timer *t = timer;
    (void)opaque;
    loop_cancel(t->side->loop, t->id);
    free(t);
}

static int on_timer_due(void *ctx)
{
    struct slirp_timer *t = ctx;
    t->id = 0;
    t->side->stale = true;
    t->fn(t->arg);
    return 0;
}

static void on_timer_mod(void *timer, int64_t at_ms, void *opaque)
{
    struct slirp_timer *t = timer;
    (void)opaque;
    loop_cancel(t->side->loop, t->id);
    t->id = loop_at(t->side->loop, at_ms > 0 ? (uint64_t)at_ms * 1000 : 0, on_timer_due, t);
}

static void on_poll_fd(int fd, void *opaque)
{
    struct slirp_side *s = opaque;
    (void)fd;
    s->stale = true;
}

static void on_notify(void *opaque)
{
    struct slirp_side *s = opaque;
    s->stale = true;
}

// Kept as long as the library: it remembers where they are.
static const SlirpCb callbacks = {
    .send_packet = on_send,
    .guest_error = on_guest_error,
    .clock_get_ns = on_clock,
    .timer_new = on_timer_new,
    .timer_free = on_timer_free,
    .timer_mod = on_timer_mod,
    .register_poll_fd = on_poll_fd,
    .unregister_poll_fd = on_poll_fd,
    .notify = on_notify,
};

static struct in_addr in4(const struct ip_addr *a)
{
    struct in_addr in;
    memcpy(&in, a->bytes, sizeof(in));
    return in;
}

static struct in6_addr in6(const struct ip_addr *a)
{
    struct in6_addr in;
    memcpy(&in, a->bytes, sizeof(in));
    return in;
}

static SlirpConfig slirp_config(const struct netconfig *c, unsigned version)
{
    const struct net_opts *o = &c->opts;
    SlirpConfig s = {
        .version = version,
        .in_enabled = true,
        .vnetwork = in4(&o->cidr.addr),
        .vnetmask.s_addr = o->cidr.prefix ? htonl(~UINT32_C(0) << (32 - o->cidr.prefix)) : 0,
        .vhost = in4(&o->gateway4),
        .vdhcp_start = in4(&o->job4),
        .vnameserver = in4(&o->dns4),
        .in6_enabled = c->ipv6,
        .vprefix_addr6 = in6(&o->gateway6),
        .vprefix_len = 64,
        .vhost6 = in6(&o->gateway6),
        .vnameserver6 = in6(&o->dns6),
        .if_mtu = SLIRP_MTU,
        .if_mru = SLIRP_MTU,
        .disable_dns = true,
        .disable_dhcp = true,
    };
    memset(s.vprefix_addr6.s6_addr + 8, 0, 8);
    return s;
}

// It asks for the job's hardware address before it sends anything, and hears no answer of the
// job's: here is one, unasked.
static void introduce_job(struct slirp_side *s, const struct netconfig *c)
{
    const struct net_opts *o = &c->opts;
    uint8_t f[128];
    slirp_input(s->slirp, f, (int)frame_build_job4(f, &o->job4));
    if (c->ipv6)
        slirp_input(s->slirp, f, (int)frame_build_job6(f, &o->job6, &o->gateway6));
}

int slirp_side_new(const struct netconfig *c, struct loop *loop, slirp_send_fn *send, void *ctx,
                   struct slirp_side **ret, struct err *err)
{
    unsigned version = slirp_side_config_version(slirp_version_string());
    if (version == 0)
        return err_set(err, ENOSYS, "libslirp %s is not one that bryo-net knows",
                       slirp_version_string());
    struct slirp_side *s = mem_alloc(sizeof(*s));
    *s = (struct slirp_side){.loop = loop, .send = send, .ctx = ctx, .stale = true};
    SlirpConfig config = slirp_config(c, version);
    s->slirp = slirp_new(&config, &callbacks, s);
    if (!s->slirp) {
        free(s);
        return err_set(err, EINVAL, "libslirp %s does not take its configuration (version %u)",
                       slirp_version_string(), version);
    }
    introduce_job(s, c);
    *ret = s;
    return 0;
}

void slirp_side_free(struct slirp_side *s)
{
    if (!s)
        return;
    slirp_cleanup(s->slirp);
    free(s->fds);
    free(s);
}

int slirp_side_publish(struct slirp_side *s, const struct netconfig *config,
                       const struct net_port *port)
{
    union ipsock at;
    union ipsock to;
    bool v6 = port->addr.family == IP_V6;
    const struct ip_addr *job = v6 && config->ipv6 ? &config->opts.job6 : &config->opts.job4;
    socklen_t at_len = ipsock_set(&at, &port->addr, port->host);
    socklen_t to_len = ipsock_set(&to, job, port->job);
    s->stale = true;
    if (slirp_add_hostxfwd(s->slirp, &at.sa, at_len, &to.sa, to_len,
                           v6 ? SLIRP_HOSTFWD_V6ONLY : 0) < 0)
        return errno ? -errno : -EADDRINUSE;
    return 0;
}

void slirp_side_input(struct slirp_side *s, const uint8_t *frame, size_t len)
{
    s->stale = true;
    slirp_input(s->slirp, frame, (int)len);
}

static short to_poll(int events)
{
    short p = 0;
    p |= (events & SLIRP_POLL_IN) ? POLLIN : 0;
    p |= (events & SLIRP_POLL_OUT) ? POLLOUT : 0;
    p |= (events & SLIRP_POLL_PRI) ? POLLPRI : 0;
    return p;
}

static int from_poll(short p)
{
    int events = 0;
    events |= (p & POLLIN) ? SLIRP_POLL_IN : 0;
    events |= (p & POLLOUT) ? SLIRP_POLL_OUT : 0;
    events |= (p & POLLPRI) ? SLIRP_POLL_PRI : 0;
    events |= (p & POLLERR) ? SLIRP_POLL_ERR : 0;
    events |= (p & POLLHUP) ? SLIRP_POLL_HUP : 0;
    return events;
}

static int on_add_poll(int fd, int events, void *opaque)
{
    struct slirp_side *s = opaque;
    if (s->n_fds + 1 >= s->room) {
        s->room = s->room ? s->room * 2 : 64;
        s->fds = mem_grow(s->fds, s->room, sizeof(*s->fds));
    }
    s->fds[++s->n_fds] = (struct pollfd){.fd = fd, .events = to_poll(events)};
    return (int)s->n_fds;
}

static int on_get_revents(int idx, void *opaque)
{
    const struct slirp_side *s = opaque;
    return idx > 0 && (size_t)idx <= s->n_fds ? from_poll(s->fds[idx].revents) : 0;
}

size_t slirp_side_wants(struct slirp_side *s, struct pollfd **ret, int *timeout_ms)
{
    if (s->stale) {
        uint32_t wait = UINT32_MAX;
        s->n_fds = 0;
        slirp_pollfds_fill(s->slirp, &wait, on_add_poll, s);
        s->stale = false;
        s->due_us = wait == UINT32_MAX ? UINT64_MAX : loop_now_us() + (uint64_t)wait * 1000;
    }
    if (!s->fds) {
        s->room = 64;
        s->fds = mem_grow(NULL, s->room, sizeof(*s->fds));
    }
    if (s->due_us != UINT64_MAX) {
        uint64_t now = loop_now_us();
        uint64_t ms = now >= s->due_us ? 0 : (s->due_us - now + 999) / 1000;
        if (*timeout_ms < 0 || ms < (uint64_t)*timeout_ms)
            *timeout_ms = (int)ms;
    }
    *ret = s->fds;
    return s->n_fds;
}

bool slirp_side_sending(struct slirp_side *s)
{
    struct pollfd *fds;
    int timeout = -1;
    (void)slirp_side_wants(s, &fds, &timeout);
    for (size_t i = 1; i <= s->n_fds; i++) {
        struct sockaddr_storage peer;
        socklen_t n = sizeof(peer);
        // One that is only being connected asks for the same.
        if ((s->fds[i].events & POLLOUT) &&
            getpeername(s->fds[i].fd, (struct sockaddr *)&peer, &n) == 0)
            return true;
    }
    return false;
}

void slirp_side_polled(struct slirp_side *s)
{
    bool due = s->due_us != UINT64_MAX && loop_now_us() >= s->due_us;
    for (size_t i = 1; !due && i <= s->n_fds; i++)
        due = s->fds[i].revents != 0;
    if (!due || s->stale)
        return; // stale: what was polled is not what it knows now; it is asked again
    s->stale = true;
    slirp_pollfds_poll(s->slirp, 0, on_get_revents, s);
}
