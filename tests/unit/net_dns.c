// SPDX-License-Identifier: Apache-2.0
// The job's resolver against resolvers of its own in the same loop: silent, refusing, forging ones.
#include "net/dns.h"

#include "internal/base/buf.h"
#include "internal/base/cleanup.h"
#include "internal/base/loop.h"
#include "net/dns_msg.h"
#include "net/dns_tcp.h"
#include "net/names.h"
#include "net/policy.h"
#include "tests/unit/tap.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>

enum manner { ANSWER, SILENT, SERVFAIL, WRONG_ID, WRONG_CASE, TWICE };

struct resolver {
    int fd;
    uint16_t port;
    enum manner manner;
    unsigned asked;
    uint16_t last_id;
};

struct world {
    struct loop *loop;
    struct net_opts opts;
    struct policy policy;
    struct dns *dns;
    struct resolver resolvers[2];
    uint8_t reply[4096];
    size_t reply_len;
    unsigned replies;
    unsigned logged;
    int rcode;
    bool refused;
};

static int on_resolver(void *ctx, uint32_t events)
{
    static const uint8_t record[] = {0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 198, 51, 100, 1};
    struct resolver *r = ctx;
    struct sockaddr_in peer;
    socklen_t len = sizeof(peer);
    uint8_t m[2048];
    (void)events;
    ssize_t n = recvfrom(r->fd, m, 1024, 0, (struct sockaddr *)&peer, &len);
    r->asked++;
    r->last_id = (uint16_t)(m[0] << 8 | m[1]);
    if (r->manner == SILENT || n < 0)
        return 0;
    m[2] |= 0x80;
    m[3] = r->manner == SERVFAIL ? DNS_SERVFAIL : 0;
    if (r->manner != SERVFAIL) {
        m[7] = 1;
        m[11] = 0;
        memcpy(m + n, record, sizeof(record));
        n += (ssize_t)sizeof(record);
    }
    m[0] ^= r->manner == WRONG_ID;
    m[13] ^= r->manner == WRONG_CASE ? 0x20 : 0;
    for (int i = 0; i < (r->manner == TWICE ? 2 : 1); i++)
        (void)sendto(r->fd, m, (size_t)n, 0, (struct sockaddr *)&peer, len);
    return 0;
}

static void resolver_start(struct resolver *r, struct loop *loop)
{
    struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(addr);
    r->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (bind(r->fd, (struct sockaddr *)&addr, len) < 0 ||
        getsockname(r->fd, (struct sockaddr *)&addr, &len) < 0)
        diag("no socket for a resolver");
    r->port = ntohs(addr.sin_port);
    (void)loop_add(loop, r->fd, EPOLLIN, on_resolver, r);
}

static void on_reply(void *ctx, const struct dns_asker *to, const void *msg, size_t n)
{
    struct world *w = ctx;
    (void)to;
    w->replies++;
    w->reply_len = n < sizeof(w->reply) ? n : sizeof(w->reply);
    memcpy(w->reply, msg, w->reply_len);
    loop_stop(w->loop);
}

static void on_log(void *ctx, const struct dns_record *record)
{
    struct world *w = ctx;
    w->logged++;
    w->rcode = record->rcode;
    w->refused = record->refused;
}

static void world_init(struct world *w, size_t resolvers)
{
    static const struct dns_upstream_times times = {
        .udp_us = 50000, .tcp_us = 200000, .silent_us = 60000000};
    *w = (struct world){.rcode = -1};
    net_opts_init(&w->opts);
    w->policy = (struct policy){.opts = &w->opts, .names = names_new()};
    (void)loop_new(&w->loop);
    for (size_t i = 0; i < 2; i++) {
        resolver_start(&w->resolvers[i], w->loop);
        w->opts.dns[i] = (struct net_dns_server){ip_v4(127, 0, 0, 1), w->resolvers[i].port};
    }
    w->opts.n_dns = resolvers;
    const struct dns_config config = {.loop = w->loop,
                                      .policy = &w->policy,
                                      .ipv6 = false,
                                      .times = &times,
                                      .reply = on_reply,
                                      .log = on_log,
                                      .ctx = w};
    w->dns = dns_new(&config);
}

static void world_done(struct world *w)
{
    dns_free(w->dns);
    for (size_t i = 0; i < 2; i++)
        fd_closep(&w->resolvers[i].fd);
    names_free(w->policy.names);
    net_opts_done(&w->opts);
    loop_free(w->loop);
}

static int too_late(void *ctx)
{
    loop_stop(ctx);
    return 0;
}

static void run_for(struct world *w, uint64_t us)
{
    int timer = loop_at(w->loop, loop_now_us() + us, too_late, w->loop);
    (void)loop_run(w->loop);
    loop_cancel(w->loop, timer);
}

static void ask_only(struct world *w, const char *name, unsigned type)
{
    uint8_t m[300] = {0x12, 0x34, 1, 0, 0, 1};
    size_t n = 12 + dns_name_write(name, m + 12);
    const struct dns_asker from = {.src = ip_v4(10, 0, 2, 100), .sport = 4000};
    m[n + 1] = (uint8_t)type;
    m[n + 3] = 1;
    dns_ask(w->dns, &from, m, n + 4);
}

// Asks, and waits for the answer; its code, or -1.
static int ask(struct world *w, const char *name, unsigned type)
{
    unsigned before = w->replies;
    ask_only(w, name, type);
    if (w->replies == before)
        run_for(w, 3000000);
    return w->replies > before ? dns_reply_rcode(w->reply) : -1;
}

static void forwarding(void)
{
    struct world w;
    struct ip_addr a = ip_v4(198, 51, 100, 1);
    world_init(&w, 1);
    is_int(ask(&w, "Www.example.org", DNS_TYPE_A), DNS_NOERROR, "a name is asked of the resolver");
    ok(w.reply[0] == 0x12 && w.reply[1] == 0x34 && w.reply[13] == 'W', "with the job's own id");
    is_str(names_asked(w.policy.names, &a, loop_now_us()), "www.example.org",
           "its address is known by the name from then on");
    is_int(w.logged, 1, "it is written down");
    unsigned same = 0;
    uint16_t last = w.resolvers[0].last_id;
    for (int i = 0; i < 4; i++) {
        (void)ask(&w, "www.example.org", DNS_TYPE_A);
        same += w.resolvers[0].last_id == last;
        last = w.resolvers[0].last_id;
    }
    ok(same < 4, "ids differ from question to question");
    is_int(ask(&w, "www.example.org", DNS_TYPE_AAAA), DNS_NOERROR, "without IPv6 AAAA");
    is_int(w.resolvers[0].asked, 5, "is answered here");
    ok(w.reply[7] == 0, "with nothing");
    ask_only(&w, "twice.example", DNS_TYPE_A);
    ask_only(&w, "twice.example", DNS_TYPE_A);
    unsigned before = w.replies;
    run_for(&w, 200000);
    run_for(&w, 200000);
    is_int(w.replies - before, 1, "what is asked again while it is waited for is asked once");
    world_done(&w);
}

static void trouble(void)
{
    struct world w;
    world_init(&w, 2);
    w.resolvers[0].manner = SILENT;
    is_int(ask(&w, "a.example", DNS_TYPE_A), DNS_NOERROR, "a silent resolver: the second answers");
    is_int(w.resolvers[0].asked, 1, "after the first was asked");
    is_int(ask(&w, "b.example", DNS_TYPE_A), DNS_NOERROR, "the next question");
    is_int(w.resolvers[0].asked, 1, "does not wait for it again");
    w.resolvers[1].manner = SILENT;
    w.resolvers[0].manner = ANSWER;
    is_int(ask(&w, "c.example", DNS_TYPE_A), DNS_NOERROR, "until it is the only one that answers");
    w.resolvers[0].manner = SILENT;
    is_int(ask(&w, "d.example", DNS_TYPE_A), DNS_SERVFAIL, "both are silent");
    world_done(&w);
    world_init(&w, 2);
    w.resolvers[0].manner = SERVFAIL;
    is_int(ask(&w, "a.example", DNS_TYPE_A), DNS_NOERROR, "one that cannot: the second answers");
    w.resolvers[1].manner = SERVFAIL;
    is_int(ask(&w, "b.example", DNS_TYPE_A), DNS_SERVFAIL, "none can");
    ok(w.resolvers[0].asked == 2 && w.resolvers[1].asked == 2, "each was asked once a question");
    world_done(&w);
    world_init(&w, 2);
    fd_closep(&w.resolvers[0].fd);
    uint64_t start = loop_now_us();
    is_int(ask(&w, "a.example", DNS_TYPE_A), DNS_NOERROR, "a closed port: the second answers");
    ok(loop_now_us() - start < 2000000, "without a wait that a person would notice");
    world_done(&w);
}

static void forgery(void)
{
    static const enum manner manners[] = {WRONG_ID, WRONG_CASE};
    for (size_t i = 0; i < 2; i++) {
        struct world w;
        world_init(&w, 2);
        w.resolvers[0].manner = manners[i];
        is_int(ask(&w, "a.example", DNS_TYPE_A), DNS_NOERROR, "a forged answer is not taken");
        is_int(w.resolvers[1].asked, 1, "the second resolver was asked");
        world_done(&w);
    }
    struct world w;
    world_init(&w, 1);
    w.resolvers[0].manner = TWICE;
    (void)ask(&w, "a.example", DNS_TYPE_A);
    (void)ask(&w, "b.example", DNS_TYPE_A);
    run_for(&w, 20000);
    is_int(w.replies, 2, "an answer that comes twice counts once");
    world_done(&w);
}

static void rules(void)
{
    struct world w;
    struct ip_addr a = ip_v4(198, 51, 100, 1);
    world_init(&w, 1);
    (void)net_opt_allow(&w.opts, "*.example.org", NULL);
    is_int(ask(&w, "www.example.com", DNS_TYPE_A), DNS_NXDOMAIN, "a name that is not allowed");
    ok(w.refused && w.resolvers[0].asked == 0, "is not asked for, and written down as refused");
    is_int(ask(&w, "www.example.org", DNS_TYPE_A), DNS_NOERROR, "one that is");
    ok(!w.refused, "is");
    ok(names_asked(w.policy.names, &a, loop_now_us()) != NULL, "and its address is known");
    world_done(&w);
}

static void own_names(void)
{
    struct world w;
    world_init(&w, 1);
    is_int(ask(&w, "localhost", DNS_TYPE_A), DNS_NOERROR, "localhost");
    ok(w.resolvers[0].asked == 0 && w.reply[7] == 1, "never leaves the machine");
    is_int(ask(&w, "x.LocalHost", DNS_TYPE_A), DNS_NOERROR, "nor what is below it");
    is_int(w.resolvers[0].asked, 0, "is asked for");
    world_done(&w);
}

static void nonsense(void)
{
    struct world w;
    const struct dns_asker from = {.src = ip_v4(10, 0, 2, 100), .sport = 4000};
    world_init(&w, 1);
    dns_ask(w.dns, &from, "short", 5);
    is_int(w.replies, 0, "what is no question has no answer");
    dns_ask(w.dns, &from, "\0\1\1\0\0\1\0\0\0\0\0\0\300\14\0\1\0\1", 18);
    ok(w.replies == 1 && dns_reply_rcode(w.reply) == DNS_FORMERR, "a name that loops is an error");
    dns_ask(w.dns, &from, "\0\1\1\0\0\1\0\0\0\0\0\0\1a\0\0\1\0\3", 19);
    ok(w.replies == 2 && dns_reply_rcode(w.reply) == DNS_NOTIMP, "so is another class");
    for (int i = 0; i < 2 * DNS_UPSTREAM_MAX; i++) {
        char name[32];
        (void)snprintf(name, sizeof(name), "n%d.example", i);
        w.resolvers[0].manner = SILENT;
        ask_only(&w, name, DNS_TYPE_A);
    }
    is_int(w.replies, 2 + DNS_UPSTREAM_MAX, "a flood is answered with failure beyond a bound");
    world_done(&w);
}

static void new_resolvers(void)
{
    struct world w;
    char text[100];
    // --dns goes before the file, whatever it says.
    world_init(&w, 1);
    (void)snprintf(text, sizeof(text), "nameserver 192.0.2.1\n");
    dns_set_resolv(w.dns, text, strlen(text));
    is_int(ask(&w, "a.example", DNS_TYPE_A), DNS_NOERROR, "--dns goes before it");
    world_done(&w);
}

// --- TCP
// ------------------------------------------------------------------------------------------

struct tcp_world {
    struct world w;
    struct dns_tcp *tcp;
};

static void on_tcp_reply(void *ctx, const struct dns_asker *to, const void *msg, size_t n)
{
    struct tcp_world *t = ctx;
    if (to->tcp)
        dns_tcp_reply(t->tcp, to, msg, n);
    t->w.replies++;
    loop_stop(t->w.loop);
}

static int connect_to(uint16_t port)
{
    struct sockaddr_in addr = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
        fd_closep(&fd);
    return fd;
}

static void over_tcp(void)
{
    struct tcp_world t = {0};
    uint16_t port = 0;
    world_init(&t.w, 0);
    dns_free(t.w.dns);
    const struct dns_config config = {.loop = t.w.loop,
                                      .policy = &t.w.policy,
                                      .times = &dns_upstream_default_times,
                                      .reply = on_tcp_reply,
                                      .ctx = &t};
    t.w.dns = dns_new(&config);
    is_int(dns_tcp_new(t.w.loop, &t.tcp, &port, NULL), 0, "a listener");
    dns_tcp_serve(t.tcp, t.w.dns);
    AUTO_FD int fd = connect_to(port);
    static const char two[] = "\0\33\0\1\1\0\0\1\0\0\0\0\0\0\11localhost\0\0\1\0\1"
                              "\0\33\0\2\1\0\0\1\0\0\0\0\0\0\11localhost\0\0\1\0\1";
    uint8_t got[256];
    (void)send(fd, two, 10, 0);
    run_for(&t.w, 100000);
    is_int(t.w.replies, 0, "a part of a question has no answer");
    (void)send(fd, two + 10, sizeof(two) - 1 - 10, 0);
    run_for(&t.w, 1000000);
    ssize_t n = recv(fd, got, sizeof(got), 0);
    ok(n == 90 && got[3] == 1 && got[45 + 3] == 2, "two in a row have two: %zd bytes", n);
    (void)send(fd, "\0\3abc", 5, 0);
    run_for(&t.w, 100000);
    is_int(recv(fd, got, sizeof(got), 0), 0, "nonsense ends the connection");
    fd_closep(&fd);
    AUTO_FD int big = connect_to(port);
    (void)send(big, "\xff\xff", 2, 0);
    run_for(&t.w, 100000);
    is_int(recv(big, got, sizeof(got), 0), 0, "so does a question of 64 KiB, before it is kept");
    int crowd[DNS_TCP_CONNECTIONS + 8];
    unsigned closed = 0;
    for (int i = 0; i < DNS_TCP_CONNECTIONS + 8; i++) {
        crowd[i] = connect_to(port);
        run_for(&t.w, 1000);
    }
    run_for(&t.w, 50000);
    for (int i = 0; i < DNS_TCP_CONNECTIONS + 8; i++) {
        closed += recv(crowd[i], got, sizeof(got), MSG_DONTWAIT) == 0;
        fd_closep(&crowd[i]);
    }
    is_int(closed, 8, "there are only so many connections");
    dns_tcp_free(t.tcp);
    world_done(&t.w);
}

int main(void)
{
    forwarding();
    trouble();
    forgery();
    rules();
    own_names();
    nonsense();
    new_resolvers();
    over_tcp();
    return done_testing();
}
