// SPDX-License-Identifier: Apache-2.0
// What a hostile job may write into its tap: frames, through the checks and reassembly, into
// libslirp, which talks to an echo server in a network namespace of the fuzzer's own. An input is a
// row of records: kind, length (two bytes), bytes.
#include "internal/base/buf.h"
#include "internal/base/err.h"
#include "internal/base/loop.h"
#include "net/frame.h"
#include "net/frame_build.h"
#include "net/frame_peek.h"
#include "net/guest_lo.h"
#include "net/netconfig.h"
#include "net/reass.h"
#include "net/slirp_side.h"

#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PORT 7007

enum { RAW, IP4, TCP4, UDP4, IP6, TCP6, UDP6, POLL, KINDS };

struct bench {
    struct netconfig config;
    struct frame_rules rules;
    struct loop *loop;
    struct slirp_side *slirp;
    struct reass *reass;
    uint32_t next; // what the other end of the last TCP segment says next
    uint64_t frames;
    uint8_t frame[FRAME_MAX];
};

// --- the other end
// -------------------------------------------------------------------------------------

static int bound(int family, int type)
{
    int one = 1;
    int fd = socket(family, type | SOCK_CLOEXEC, 0);
    struct sockaddr_in6 v6 = {
        .sin6_family = AF_INET6, .sin6_port = htons(PORT), .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    struct sockaddr_in v4 = {
        .sin_family = AF_INET, .sin_port = htons(PORT), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if ((family == AF_INET ? bind(fd, (struct sockaddr *)&v4, sizeof(v4))
                           : bind(fd, (struct sockaddr *)&v6, sizeof(v6))) < 0)
        abort();
    if (type == SOCK_STREAM && listen(fd, 64) < 0)
        abort();
    return fd;
}

static int on_echo(void *ctx, uint32_t events)
{
    char bytes[4096];
    int fd = *(int *)ctx;
    (void)events;
    ssize_t n = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);
    if (n > 0 && send(fd, bytes, (size_t)n, MSG_NOSIGNAL | MSG_DONTWAIT) == n)
        return 0;
    (void)close(fd);
    free(ctx);
    return 0;
}

struct server {
    struct loop *loop;
    int fd;
};

static int on_accept(void *ctx, uint32_t events)
{
    struct server *s = ctx;
    int *fd = mem_alloc(sizeof(*fd));
    (void)events;
    *fd = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (*fd >= 0)
        (void)loop_add(s->loop, *fd, 1 /* EPOLLIN */, on_echo, fd);
    return 0;
}

static int on_datagram(void *ctx, uint32_t events)
{
    static char bytes[65536];
    struct server *s = ctx;
    struct sockaddr_in6 from;
    socklen_t len = sizeof(from);
    (void)events;
    ssize_t n = recvfrom(s->fd, bytes, sizeof(bytes), MSG_DONTWAIT, (struct sockaddr *)&from, &len);
    if (n >= 0)
        (void)sendto(s->fd, bytes, (size_t)n, MSG_DONTWAIT, (struct sockaddr *)&from, len);
    return 0;
}

_Noreturn static void echo_main(void)
{
    struct loop *loop = NULL;
    struct server s[4];
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (loop_new(&loop) < 0)
        abort();
    for (int i = 0; i < 4; i++) {
        int type = i & 1 ? SOCK_DGRAM : SOCK_STREAM;
        s[i] = (struct server){loop, bound(i & 2 ? AF_INET6 : AF_INET, type)};
        (void)loop_add(loop, s[i].fd, 1, i & 1 ? on_datagram : on_accept, &s[i]);
    }
    (void)loop_run(loop);
    _exit(0);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    struct err err;
    (void)argc, (void)argv;
    (void)signal(SIGPIPE, SIG_IGN); // as in bryo-net
    // No route leads anywhere from here.
    if (unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0 || guest_lo_up(&err) < 0)
        abort();
    if (fork() == 0)
        echo_main();
    return 0;
}

// --- frames
// --------------------------------------------------------------------------------------------

static void put16(uint8_t *p, size_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

// What comes back: only where the last connection stands is of interest.
static void on_send(void *ctx, const uint8_t *frame, size_t len)
{
    struct bench *b = ctx;
    struct frame_peek p;
    if (!frame_peek(frame, len, &p) || p.key.proto != NET_PROTO_TCP)
        return;
    const uint8_t *tcp = frame + FRAME_ETH_LEN + (p.key.src.family == IP_V4 ? 20 : 40);
    uint32_t seq;
    memcpy(&seq, tcp + 4, sizeof(seq));
    b->next = ntohl(seq) + (uint32_t)p.payload_len + ((p.tcp_flags & FRAME_SYN) ? 1 : 0);
}

static void finish4(const struct bench *b, uint8_t *f, size_t n)
{
    uint8_t *ip = f + FRAME_ETH_LEN;
    put16(f + 12, 0x0800);
    ip[0] = 0x45;
    put16(ip + 2, n - FRAME_ETH_LEN);
    memcpy(ip + 12, b->rules.job4.bytes, 4);
    ip[10] = ip[11] = 0;
    uint16_t sum = frame_sum_end(frame_sum(ip, 20, 0));
    memcpy(ip + 10, &sum, 2);
}

static void finish6(const struct bench *b, uint8_t *f, size_t n)
{
    uint8_t *ip = f + FRAME_ETH_LEN;
    put16(f + 12, 0x86dd);
    ip[0] = 0x60;
    put16(ip + 4, n - FRAME_ETH_LEN - 40);
    memcpy(ip + 8, b->rules.job6.bytes, 16);
}

static void finish_l4(uint8_t *f, size_t n, bool v4, uint8_t proto)
{
    uint8_t *ip = f + FRAME_ETH_LEN;
    uint8_t *l4 = ip + (v4 ? 20 : 40);
    size_t len = n - (size_t)(l4 - f);
    const uint8_t tail[4] = {0, proto, (uint8_t)(len >> 8), (uint8_t)len};
    uint8_t *at = l4 + (proto == IPPROTO_TCP ? 16 : 6);
    at[0] = at[1] = 0;
    uint32_t sum = frame_sum(ip + (v4 ? 12 : 8), v4 ? 8 : 32, frame_sum(tail, 4, 0));
    uint16_t end = frame_sum_end(frame_sum(l4, len, sum));
    memcpy(at, &end, 2);
}

// TCP or UDP to the echo server; the rest of the headers is what the input says.
static size_t shape(struct bench *b, unsigned kind, const uint8_t *bytes, size_t n)
{
    uint8_t *f = b->frame;
    bool v4 = kind == IP4 || kind == TCP4 || kind == UDP4;
    bool tcp = kind == TCP4 || kind == TCP6;
    size_t l4 = FRAME_ETH_LEN + (v4 ? 20U : 40U);
    size_t head = kind == IP4 || kind == IP6 ? 0 : tcp ? 20 : 8;
    memset(f, 0, l4 + head);
    memcpy(f + FRAME_ETH_LEN, bytes, n < 10 ? n : 10); // id, fragment, protocol ...
    f[FRAME_ETH_LEN + (v4 ? 8 : 7)] |= 0x40;           // it is alive
    memcpy(f + l4, bytes, n);
    size_t len = l4 + (n > head ? n : head);
    if (v4)
        memcpy(f + 30, b->config.opts.gateway4.bytes, 4);
    else
        memcpy(f + 38, b->config.opts.gateway6.bytes, 16);
    if (head) {
        uint8_t proto = tcp ? IPPROTO_TCP : IPPROTO_UDP;
        f[FRAME_ETH_LEN + (v4 ? 9 : 6)] = proto;
        put16(f + l4 + 2, PORT);
        f[l4] = 16; // one connection or another
        f[l4 + 1] &= 3;
        if (tcp) {
            uint32_t ack = htonl(b->next);
            f[l4 + 4] = f[l4 + 5] = 0; // sequence numbers near to each other
            if (!(f[l4 + 13] & FRAME_URG))
                memcpy(f + l4 + 8, &ack, sizeof(ack));
            f[l4 + 12] = 5 << 4;
        } else {
            put16(f + l4 + 4, len - l4);
        }
        if (v4) {
            put16(f + 20, 0); // whole: fragments are for IP4
            finish4(b, f, len);
        } else {
            finish6(b, f, len);
        }
        finish_l4(f, len, v4, proto);
    } else if (v4) {
        finish4(b, f, len);
    } else {
        finish6(b, f, len);
    }
    return len;
}

static void input(struct bench *b, size_t n)
{
    struct frame p;
    uint8_t *whole = b->frame;
    frame_parse(b->frame, n, &b->rules, &p);
    if (p.class == FRAME_FRAGMENT) {
        n = reass_add(b->reass, &p, ++b->frames, &whole);
        frame_parse(whole, n, &b->rules, &p);
    }
    if (p.class == FRAME_TCP || p.class == FRAME_UDP || p.class == FRAME_ECHO) {
        if (p.len > n || p.payload > p.len || p.l4 > p.payload)
            abort();
        slirp_side_input(b->slirp, p.bytes, p.len);
    }
}

static void poll_once(struct bench *b)
{
    struct pollfd *fds;
    int timeout = 0;
    size_t n = slirp_side_wants(b->slirp, &fds, &timeout);
    fds[0] = (struct pollfd){.fd = -1};
    if (n && poll(fds, n + 1, 0) >= 0)
        slirp_side_polled(b->slirp);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err err;
    struct bench *b = mem_alloc(sizeof(*b));
    net_opts_init(&b->config.opts);
    b->config.ipv6 = true;
    b->config.mtu = 1500;
    b->rules = (struct frame_rules){b->config.opts.job4, b->config.opts.job6};
    b->reass = reass_new();
    if (loop_new(&b->loop) < 0 ||
        slirp_side_new(&b->config, b->loop, on_send, b, &b->slirp, &err) < 0)
        abort();
    while (size >= 3) {
        unsigned kind = data[0] % KINDS;
        size_t n = (size_t)(data[1] << 8 | data[2]) % 2048;
        data += 3;
        size -= 3;
        n = n < size ? n : size;
        if (kind == POLL) {
            poll_once(b);
        } else if (kind == RAW) {
            memcpy(b->frame, data, n);
            input(b, n);
        } else {
            input(b, shape(b, kind, data, n));
        }
        data += n;
        size -= n;
    }
    poll_once(b);
    slirp_side_free(b->slirp);
    loop_free(b->loop);
    reass_free(b->reass);
    net_opts_done(&b->config.opts);
    free(b);
    return 0;
}
