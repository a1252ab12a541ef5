// SPDX-License-Identifier: Apache-2.0
#include "internal/run/relay.h"

#include "internal/base/loop.h"

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

// What a pipe that is ready for writing takes without blocking (pipe(7), PIPE_BUF).
#define CHUNK 4096

static int on_readable(void *ctx, uint32_t events);
static int on_writable(void *ctx, uint32_t events);

static void end(struct relay *r)
{
    relay_stop(r);
    r->fn(r->ctx, true);
}

void relay_stop(struct relay *r)
{
    if (!r->active)
        return;
    r->active = false;
    loop_remove(r->loop, r->from);
    if (!r->to_is_plain)
        loop_remove(r->loop, r->to);
}

static int wait_for(struct relay *r, bool readable)
{
    int gone = readable ? r->to : r->from;
    int next = readable ? r->from : r->to;
    if (!(readable && r->to_is_plain))
        loop_remove(r->loop, gone);
    return readable ? loop_add(r->loop, next, EPOLLIN, on_readable, r)
                    : loop_add(r->loop, next, EPOLLOUT, on_writable, r);
}

static int write_some(struct relay *r)
{
    while (r->off < r->len) {
        size_t n = r->len - r->off;
        if (!r->to_is_plain && n > CHUNK)
            n = CHUNK;
        ssize_t w = write(r->to, r->buf + r->off, n);
        if (w < 0 && errno == EINTR)
            continue;
        if (w < 0)
            return -errno;
        r->off += (size_t)w;
        if (!r->to_is_plain)
            return 0;
    }
    return 0;
}

static int on_writable(void *ctx, uint32_t events)
{
    struct relay *r = ctx;
    (void)events;
    int w = write_some(r);
    if (w < 0 && w != -EAGAIN) {
        end(r); // nobody reads any more: the writer finds out by SIGPIPE or EIO of its own
        return 0;
    }
    return r->off == r->len ? wait_for(r, true) : 0;
}

static int on_readable(void *ctx, uint32_t events)
{
    struct relay *r = ctx;
    (void)events;
    ssize_t n = read(r->from, r->buf, sizeof(r->buf));
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return 0;
    if (n <= 0) { // a pty master says EIO when the last slave is closed
        end(r);
        return 0;
    }
    r->off = 0;
    r->len = (size_t)n;
    r->fn(r->ctx, false);
    if (!r->to_is_plain)
        return wait_for(r, false);
    if (write_some(r) < 0)
        end(r);
    return 0;
}

int relay_start(struct relay *r, struct loop *loop, int from, int to, relay_fn *fn, void *ctx)
{
    r->loop = loop;
    r->from = from;
    r->to = to;
    r->fn = fn;
    r->ctx = ctx;
    r->off = r->len = 0;
    // epoll_ctl(2) refuses what cannot block, a regular file or /dev/null, with EPERM.
    int x = loop_add(loop, to, EPOLLOUT, on_writable, r);
    r->to_is_plain = x == -EPERM;
    if (x < 0 && x != -EPERM)
        return x;
    if (x == 0)
        loop_remove(loop, to);
    x = loop_add(loop, from, EPOLLIN, on_readable, r);
    r->active = x == 0;
    return x;
}
