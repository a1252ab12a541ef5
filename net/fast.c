// SPDX-License-Identifier: Apache-2.0
#include "net/fast.h"

#include "internal/base/buf.h"
#include "internal/base/err.h"
#include "internal/base/loop.h"
#include "net/engine.h"
#include "net/fast_priv.h"
#include "net/frame_build.h"
#include "net/ipsock.h"
#include "net/splice.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>

enum { SECOND = 1000000 };

// Thousands of them may be held.
enum { SYN_MAX = 2048 };

struct fast_limits fast_limits_of_process(void)
{
    enum { OTHERS = 128, MOST = 1 << 20 };
    struct rlimit lim = {.rlim_cur = 1024};
    if (getrlimit(RLIMIT_NOFILE, &lim) == 0 && lim.rlim_cur < lim.rlim_max) {
        const struct rlimit raised = {.rlim_cur = lim.rlim_max, .rlim_max = lim.rlim_max};
        if (setrlimit(RLIMIT_NOFILE, &raised) == 0)
            lim = raised;
    }
    unsigned n = lim.rlim_cur > MOST ? MOST : (unsigned)lim.rlim_cur;
    struct fast_limits limits = {.pipes = n / 16 < 128 ? n / 16 : 128};
    unsigned taken = OTHERS + 2 * limits.pipes;
    limits.pairs = n > taken + 2 ? (n - taken) / 2 : 1;
    limits.held = limits.pairs < 16384 ? limits.pairs : 16384;
    return limits;
}

bool fast_has_room(const struct fast *f)
{
    return splicer_count(f->splicer) + held_count(f->table) - f->n_spent < f->limits.pairs;
}

struct splicer *fast_splicer(struct fast *f)
{
    return f->splicer;
}

// --- held SYNs
// ------------------------------------------------------------------------------------

static void free_held(struct loop_task *t)
{
    struct held *h = (struct held *)((char *)t - offsetof(struct held, task));
    fd_closep(&h->fd);
    free(h->flow);
    free(h->frame);
    free(h);
}

static void drop_held(struct held *h)
{
    struct fast *f = h->fast;
    held_remove(f->table, h);
    if (h->prev_spent) {
        *h->prev_spent = h->next_spent;
        if (h->next_spent)
            h->next_spent->prev_spent = h->prev_spent;
        f->n_spent--;
    }
    h->state = HELD_DONE; // an event of this batch may still name it
    if (h->fd >= 0)
        loop_unwatch(f->loop, h->fd);
    loop_defer(f->loop, &h->task);
}

static void set_state(struct held *h, enum held_state state)
{
    h->state = state;
    h->since = loop_now_us();
}

// Nothing is to be done for it any more. The entry stays: a SYN that the job's kernel repeated
// before it was answered may lie in the tap, and is not to open a second connection.
static void spend(struct held *h, enum held_state state)
{
    struct fast *f = h->fast;
    set_state(h, state);
    h->next_spent = f->spent;
    h->prev_spent = &f->spent;
    if (f->spent)
        f->spent->prev_spent = &h->next_spent;
    f->spent = h;
    f->n_spent++;
}

// What the tap holds is in order: it is empty, so every SYN from before has been seen.
void fast_tap_empty(struct fast *f)
{
    while (f->spent)
        drop_held(f->spent);
}

// It has been answered, and the log gets it.
static void end_held(struct held *h, int error)
{
    h->flow->error = error;
    engine_flow_ended(h->fast->engine, h->flow);
    if (h->fd >= 0)
        loop_unwatch(h->fast->loop, h->fd);
    fd_closep(&h->fd);
    spend(h, HELD_REFUSED);
}

static void expire(struct held *h, void *ctx)
{
    const uint64_t *now = ctx;
    if (!held_expired(h, *now))
        return;
    if (h->state == HELD_CONNECTING || h->state == HELD_INJECTED) {
        h->flow->error = ETIMEDOUT;
        engine_flow_ended(h->fast->engine, h->flow);
    }
    drop_held(h);
}

static int on_tick(void *ctx);

static void start_tick(struct fast *f)
{
    if (f->tick || held_count(f->table) == 0)
        return;
    int id = loop_at(f->loop, loop_now_us() + SECOND, on_tick, f);
    f->tick = id > 0 ? id : 0;
}

static int on_tick(void *ctx)
{
    struct fast *f = ctx;
    uint64_t now = loop_now_us();
    f->tick = 0;
    held_each(f->table, expire, &now);
    if (f->spent)
        engine_look_at_tap(f->engine);
    start_tick(f);
    return 0;
}

// --- the machine's side
// -------------------------------------------------------------------------------

// As the network would have said it.
static void answer_error(struct held *h, int error)
{
    uint8_t out[FRAME_ETH_LEN + 1500];
    size_t n = 0;
    struct frame syn;
    const struct netconfig *config = engine_config(h->fast->engine);
    const struct frame_rules rules = {.job4 = config->opts.job4, .job6 = config->opts.job6};
    frame_parse(h->frame, h->frame_len, &rules, &syn);
    switch (error) {
    case ECONNREFUSED:
    case ECONNRESET:
        n = frame_build_rst(out, &syn);
        break;
    case ENETUNREACH:
    case ENETDOWN:
    case EAFNOSUPPORT:
        n = frame_build_unreach(out, &syn, FRAME_UNREACH_NET);
        break;
    case EPERM: // a packet filter of the machine's
    case EACCES:
        n = frame_build_unreach(out, &syn, FRAME_UNREACH_PROHIBITED);
        break;
    case ETIMEDOUT: // the job's own clock runs out at the same time
        break;
    default:
        n = frame_build_unreach(out, &syn, FRAME_UNREACH_HOST);
    }
    if (n > 0)
        (void)engine_inject(h->fast->engine, out, n);
}

static bool accept_next(struct fast_listener *l);

// The handshake has been made when the frame is written, unless packets are shaped: accepted at
// once, it costs no turn of the loop. Nor does the listener's queue grow, which is short
// (net.core.somaxconn: 128 before Linux 5.4); what finds it full is lost for a second.
static void inject_syn(struct held *h)
{
    struct fast *f = h->fast;
    struct fast_listener *l = &f->listener[h->flow->key.dst.family == IP_V6];
    (void)engine_give_back(f->engine, h->frame, h->frame_len);
    while (h->state == HELD_INJECTED && accept_next(l))
        continue;
}

static void connected(struct held *h, int error)
{
    if (error) {
        answer_error(h, error);
        end_held(h, error);
        return;
    }
    set_state(h, HELD_INJECTED);
    inject_syn(h);
}

static void on_connect(struct loop_watch *w, uint32_t events)
{
    struct held *h = (struct held *)((char *)w - offsetof(struct held, watch));
    int error = 0;
    socklen_t n = sizeof(error);
    if (h->fd < 0 || h->state != HELD_CONNECTING || !(events & (EPOLLOUT | EPOLLERR | EPOLLHUP)))
        return;
    if (getsockopt(h->fd, SOL_SOCKET, SO_ERROR, &error, &n) < 0)
        error = errno;
    loop_unwatch(h->fast->loop, h->fd);
    connected(h, error);
}

static int machine_socket(int family)
{
    AUTO_FD int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP);
    if (fd < 0)
        return -errno;
    fast_socket_options(fd);
    return TAKE_FD(fd);
}

// Probes begin after two minutes, as on the job's side; their pace is the machine's own.
void fast_socket_options(int fd)
{
    enum { KEEP_IDLE = 120 };
    const int on = 1;
    const int idle = KEEP_IDLE;
    (void)setsockopt(fd, SOL_TCP, TCP_NODELAY, &on, sizeof(on));
    (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
    (void)setsockopt(fd, SOL_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
}

// 0: connected; -EINPROGRESS; or -errno.
int fast_connect(int fd, const union ipsock *to, socklen_t n)
{
    if (connect(fd, &to->sa, n) == 0)
        return 0;
    if (errno != EINPROGRESS)
        return -errno;
    // On this machine the answer has come by now, and asking costs less than being told.
    if (connect(fd, &to->sa, n) == 0)
        return 0;
    return errno == EALREADY ? -EINPROGRESS : -errno;
}

static void start_connect(struct fast *f, struct held *h)
{
    union ipsock to;
    socklen_t n = ipsock_set(&to, &h->flow->host, h->flow->host_port);
    if (n == 0) {
        connected(h, ECONNREFUSED);
        return;
    }
    h->fd = machine_socket(to.sa.sa_family);
    int r = h->fd < 0 ? h->fd : fast_connect(h->fd, &to, n);
    if (r == -EINPROGRESS) {
        r = loop_watch(f->loop, h->fd, EPOLLOUT, &h->watch);
        if (r == 0)
            return;
    }
    if (r == -EMFILE || r == -ENFILE || r == -ENOBUFS || r == -ENOMEM) {
        drop_held(h); // asked again in a second
        return;
    }
    connected(h, -r);
}

// --- frames
// --------------------------------------------------------------------------------------------

static uint32_t isn_of(const struct frame *frame)
{
    uint32_t isn;
    memcpy(&isn, frame->bytes + frame->l4 + 4, sizeof(isn));
    return isn;
}

// The SYN came again.
static void again(struct held *h)
{
    h->last = loop_now_us();
    if (h->state == HELD_INJECTED)
        inject_syn(h); // the tap's queue was full
}

static void hold(struct fast *f, const struct frame *frame, const struct flow_key *key)
{
    struct flow flow = {.key = *key};
    // No answer: it is sent again. One with data (RFC 7413) that is large comes again without.
    if (!fast_has_room(f) || frame->len > SYN_MAX)
        return;
    if (engine_verdict(f->engine, &flow) != FLOW_ALLOWED) {
        engine_refuse(f->engine, frame);
        return;
    }
    struct held *h = held_add(f->table, key);
    if (!h && f->spent) { // a tap that is never empty: new ones count for more
        fast_tap_empty(f);
        h = held_add(f->table, key);
    }
    if (!h)
        return;
    *h->flow = flow;
    h->flow->fast = true;
    h->fast = f;
    h->watch.fn = on_connect;
    h->task.fn = free_held;
    h->isn = isn_of(frame);
    h->first = h->last = h->since = loop_now_us();
    h->frame = mem_alloc(frame->len);
    h->frame_len = frame->len;
    memcpy(h->frame, frame->bytes, frame->len);
    start_connect(f, h);
    start_tick(f);
}

bool fast_input(struct fast *f, const struct frame *frame)
{
    const uint8_t opening = FRAME_FIN | FRAME_SYN | FRAME_RST | FRAME_ACK;
    if (frame->class != FRAME_TCP || (frame->tcp_flags & opening) != FRAME_SYN)
        return false;
    const struct flow_key key = {.src = frame->src,
                                 .dst = frame->dst,
                                 .sport = frame->sport,
                                 .dport = frame->dport,
                                 .proto = NET_PROTO_TCP};
    struct held *h = held_find(f->table, &key);
    if (h && h->isn == isn_of(frame)) {
        again(h);
        return true;
    }
    if (h) { // the job gave that one up and took the port again
        if (h->state == HELD_CONNECTING || h->state == HELD_INJECTED)
            end_held(h, ECANCELED);
        drop_held(h);
    }
    hold(f, frame, &key);
    return true;
}

// --- the job's side
// ---------------------------------------------------------------------------------------

static void on_ended(void *ctx, const struct splice_end *end)
{
    struct fast_conn *c = ctx;
    c->flow->bytes_out = end->a_to_b;
    c->flow->bytes_in = end->b_to_a;
    c->flow->error = end->error;
    engine_flow_ended(c->fast->engine, c->flow);
    free(c->flow);
    free(c);
}

static void accepted(struct fast *f, int fd, const union ipsock *peer)
{
    union ipsock own;
    socklen_t n = sizeof(own);
    struct flow_key key = {.proto = NET_PROTO_TCP};
    key.src = ipsock_addr(peer, &key.sport);
    if (getsockname(fd, &own.sa, &n) == 0)
        key.dst = ipsock_addr(&own, &key.dport);
    struct held *h = held_find(f->table, &key);
    if (!h || h->state != HELD_INJECTED) {
        // Not by way of the tap: the job found the listener. Or it took longer than we wait.
        splice_reset(fd);
        return;
    }
    struct fast_conn *c = mem_alloc(sizeof(*c));
    *c = (struct fast_conn){.fast = f, .flow = mem_alloc(sizeof(*c->flow))};
    *c->flow = *h->flow;
    int r = splice_join(f->splicer, fd, TAKE_FD(h->fd), on_ended, c);
    if (r < 0) {
        const struct splice_end none = {.error = -r};
        on_ended(c, &none);
    }
    spend(h, HELD_DONE);
}

// False: there is none.
static bool accept_next(struct fast_listener *l)
{
    union ipsock peer;
    socklen_t n = sizeof(peer);
    int fd = l->fd < 0 ? -1 : accept4(l->fd, &peer.sa, &n, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd >= 0)
        accepted(l->fast, fd, &peer);
    return fd >= 0 || (l->fd >= 0 && (errno == ECONNABORTED || errno == EINTR));
}

static void on_listener(struct loop_watch *w, uint32_t events)
{
    struct fast_listener *l =
        (struct fast_listener *)((char *)w - offsetof(struct fast_listener, watch));
    (void)events;
    while (accept_next(l))
        continue;
}

// --- life
// ------------------------------------------------------------------------------------------------

static int add_listener(struct fast *f, struct fast_listener *l, int fd)
{
    *l = (struct fast_listener){.watch.fn = on_listener, .fast = f, .fd = fd};
    return fd < 0 ? 0 : loop_watch(f->loop, fd, EPOLLIN, &l->watch);
}

int fast_new(struct engine *engine, const struct fast_limits *limits, int listen4, int listen6,
             struct fast **ret, struct err *err)
{
    struct fast *f = mem_alloc(sizeof(*f));
    f->engine = engine;
    f->limits = *limits;
    f->table = held_table_new(limits->held);
    (void)signal(SIGPIPE, SIG_IGN);
    f->loop = engine_loop(engine);
    f->listener[0].fd = f->listener[1].fd = -1;
    f->splicer = splicer_new(f->loop, limits->pipes);
    int r = add_listener(f, &f->listener[0], listen4);
    if (r == 0)
        r = add_listener(f, &f->listener[1], listen6);
    if (r < 0) {
        fast_free(f);
        return err_sys(err, -r, "cannot watch the job's connections");
    }
    *ret = f;
    return 0;
}

static void drop_each(struct held *h, void *ctx)
{
    (void)ctx;
    if (h->state == HELD_CONNECTING || h->state == HELD_INJECTED) {
        h->flow->error = ECANCELED;
        engine_flow_ended(h->fast->engine, h->flow);
    }
    drop_held(h);
}

unsigned fast_finish(struct fast *f)
{
    return splicer_finish(f->splicer);
}

void fast_free(struct fast *f)
{
    if (!f)
        return;
    if (f->tick)
        loop_cancel(f->loop, f->tick);
    held_each(f->table, drop_each, NULL);
    splicer_free(f->splicer);
    for (int i = 0; i < 2; i++)
        if (f->listener[i].fd >= 0)
            loop_unwatch(f->loop, f->listener[i].fd);
    held_table_free(f->table);
    free(f);
}
