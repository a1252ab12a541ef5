// SPDX-License-Identifier: Apache-2.0
// The pump, between two TCP connections of the loopback: a - [x = y] - b.
#include "net/splice.h"

#include "internal/base/cleanup.h"
#include "internal/base/fd.h"
#include "internal/base/loop.h"
#include "tests/unit/tap.h"

#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>

struct rig {
    struct loop *loop;
    struct splicer *s;
    int a, b;
    int done;
    struct splice_end end;
};

static void on_done(void *ctx, const struct splice_end *end)
{
    struct rig *r = ctx;
    r->done++;
    r->end = *end;
}

static int stop(void *ctx)
{
    loop_stop(ctx);
    return 0;
}

// Lets the pump run for some milliseconds.
static void turn(struct rig *r, unsigned ms)
{
    (void)loop_at(r->loop, loop_now_us() + (uint64_t)ms * 1000, stop, r->loop);
    (void)loop_run(r->loop);
}

static void tcp_pair(int fds[2])
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof(at);
    int l = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    fds[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool made = bind(l, (void *)&at, n) == 0 && listen(l, 1) == 0 &&
                getsockname(l, (void *)&at, &n) == 0 && connect(fds[0], (void *)&at, n) == 0;
    fds[1] = made ? accept(l, NULL, NULL) : -1;
    (void)close(l);
    (void)fd_set_nonblock(fds[0], 1);
    (void)fd_set_nonblock(fds[1], 1);
}

static void start(struct rig *r, unsigned pipes)
{
    int one[2];
    int two[2];
    *r = (struct rig){.loop = NULL};
    tcp_pair(one);
    tcp_pair(two);
    r->a = one[0];
    r->b = two[0];
    (void)loop_new(&r->loop);
    r->s = splicer_new(r->loop, pipes);
    is_int(splice_join(r->s, one[1], two[1], on_done, r), 0, "joined");
}

static void finish(struct rig *r)
{
    splicer_free(r->s);
    loop_free(r->loop);
    fd_closep(&r->a);
    fd_closep(&r->b);
}

static ssize_t peek_all(int fd, char *out, size_t n)
{
    return recv(fd, out, n, MSG_DONTWAIT);
}

static void halves(void)
{
    struct rig r;
    char got[64];
    start(&r, 4);
    ok(send(r.a, "hello", 5, 0) == 5 && shutdown(r.a, SHUT_WR) == 0, "a speaks and ends");
    turn(&r, 20);
    ok(peek_all(r.b, got, sizeof(got)) == 5 && memcmp(got, "hello", 5) == 0, "b hears it");
    is_int(peek_all(r.b, got, sizeof(got)), 0, "and the end");
    ok(send(r.b, "answer", 6, 0) == 6, "b may still answer");
    turn(&r, 20);
    is_int(peek_all(r.a, got, sizeof(got)), 6, "which a hears");
    ok(r.done == 0 && splicer_count(r.s) == 1, "it goes on");
    (void)shutdown(r.b, SHUT_WR);
    turn(&r, 20);
    ok(r.done == 1 && r.end.error == 0 && r.end.a_to_b == 5 && r.end.b_to_a == 6,
       "until both have ended");
    is_int(peek_all(r.a, got, sizeof(got)), 0, "a sees the end of b");
    finish(&r);
}

static void resets(void)
{
    struct rig r;
    char got[64];
    start(&r, 4);
    ok(send(r.a, "last", 4, 0) == 4, "a speaks");
    turn(&r, 20);
    splice_reset(r.a);
    r.a = -1;
    turn(&r, 20);
    is_int(peek_all(r.b, got, sizeof(got)), 4, "b hears it");
    ok(peek_all(r.b, got, sizeof(got)) < 0 && errno == ECONNRESET, "and the reset");
    ok(r.done == 1 && r.end.error == ECONNRESET, "which ends it");
    finish(&r);
}

static void urgent(void)
{
    struct rig r;
    char got[64];
    char c = 0;
    start(&r, 4);
    ok(send(r.a, "ab", 2, 0) == 2 && send(r.a, "!", 1, MSG_OOB) == 1 && send(r.a, "cd", 2, 0) == 2,
       "a is in a hurry");
    turn(&r, 30);
    is_int(peek_all(r.b, got, sizeof(got)), 2, "up to the mark");
    ok(recv(r.b, &c, 1, MSG_OOB) == 1 && c == '!', "the urgent byte");
    is_int(peek_all(r.b, got, sizeof(got)), 2, "and what comes behind it");
    finish(&r);
}

static unsigned open_fds(void)
{
    unsigned n = 0;
    struct stat st;
    for (int fd = 0; fd < 256; fd++)
        n += fstat(fd, &st) == 0;
    return n;
}

// A reader that does not read, with and without pipes; then it does, and all is there.
static void stalled(unsigned pipes)
{
    static char part[65536];
    struct rig r;
    start(&r, pipes);
    unsigned before = open_fds();
    uint64_t sent = 0;
    for (int idle = 0; idle < 5;) {
        for (size_t i = 0; i < sizeof(part); i++)
            part[i] = (char)((sent + i) * 7 >> 3);
        ssize_t n = send(r.a, part, sizeof(part), MSG_DONTWAIT);
        sent += n > 0 ? (uint64_t)n : 0;
        idle = n > 0 ? 0 : idle + 1;
        turn(&r, n > 0 ? 1 : 20);
    }
    ok(sent > 100000 && sent < 64 << 20, "%u pipes: the writer is stopped, after %ju bytes", pipes,
       sent);
    ok(open_fds() <= before + 2, "at the price of one pipe");
    (void)shutdown(r.a, SHUT_WR);
    uint64_t got = 0;
    bool same = true;
    for (int idle = 0; idle < 20 && r.done == 0;) {
        ssize_t n = recv(r.b, part, sizeof(part), MSG_DONTWAIT);
        for (ssize_t i = 0; i < n; i++)
            same = same && part[i] == (char)((got + (uint64_t)i) * 7 >> 3);
        got += n > 0 ? (uint64_t)n : 0;
        idle = n > 0 ? 0 : idle + 1;
        if (n == 0)
            (void)shutdown(r.b, SHUT_WR);
        turn(&r, n > 0 ? 1 : 20);
    }
    ok(got == sent && same, "and what it wrote arrives");
    is_int(r.done, 1, "to the end");
    finish(&r);
}

static void many_ended(void)
{
    struct rig r;
    start(&r, 0);
    finish(&r);
    ok(r.done == 1 && r.end.error == ECONNABORTED,
       "the end of the pump is the end of its connections");
}

int main(void)
{
    (void)signal(SIGPIPE, SIG_IGN);
    halves();
    resets();
    urgent();
    stalled(4);
    stalled(0);
    many_ended();
    return done_testing();
}
