// SPDX-License-Identifier: Apache-2.0
#include "internal/jobs/relay.h"

#include "internal/base/loop.h"
#include "internal/job/outfilter.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <unistd.h>

// What a pipe that is ready for writing takes without blocking (pipe(7), PIPE_BUF).
#define CHUNK 4096

// How long a writer may think in the middle of what could be a secret before the beginning shows.
#define PAUSE_US 100000

#define LEAVE_FIRST  16 // Ctrl-P
#define LEAVE_SECOND 17 // Ctrl-Q

static int on_readable(void *ctx, uint32_t events);
static int on_writable(void *ctx, uint32_t events);

// Whether there is room again for what was lost to be told; part of a line that finds none may
// stay.
static bool tell_lost(struct relay *r)
{
    AUTO_BUF struct buf line = {0};
    if (r->lost == 0)
        return true;
    buf_addf(&line, "\nbryo: %" PRIu64 " bytes of output are missing here: %s\n", r->lost,
             strerror(r->why));
    if (write(r->to, line.data, line.len) != (ssize_t)line.len)
        return false;
    r->lost = 0;
    return true;
}

static void end(struct relay *r)
{
    (void)tell_lost(r);
    relay_stop(r);
    r->fn(r->ctx, true);
}

void relay_stop(struct relay *r)
{
    if (!r->active)
        return;
    r->active = false;
    loop_cancel(r->loop, r->pause_timer);
    buf_done(&r->filtered);
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
        ssize_t w = write(r->to, r->data + r->off, n);
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

// An error only where the writer is to hear of it.
static int write_plain(struct relay *r)
{
    int w = tell_lost(r) ? write_some(r) : -r->why;
    if (w == 0 || !r->goes_on)
        return w;
    r->why = -w;
    r->lost += r->len - r->off;
    r->off = r->len;
    return 0;
}

// There is something to write, and the reading side is what is watched.
static int start_writing(struct relay *r, const char *data, size_t n)
{
    r->data = data;
    r->off = 0;
    r->len = n;
    if (!r->to_is_plain)
        return wait_for(r, false);
    if (write_plain(r) < 0 || r->ended)
        end(r);
    return 0;
}

static int on_pause(void *ctx)
{
    struct relay *r = ctx;
    r->pause_timer = 0;
    buf_clear(&r->filtered);
    outfilter_pause(r->filter, &r->filtered);
    return r->filtered.len ? start_writing(r, r->filtered.data, r->filtered.len) : 0;
}

static void expect_pause(struct relay *r)
{
    if (!r->filter || !r->active || r->pause_timer > 0 || !outfilter_holds(r->filter))
        return;
    r->pause_timer = loop_at(r->loop, loop_now_us() + PAUSE_US, on_pause, r);
}

static int on_writable(void *ctx, uint32_t events)
{
    struct relay *r = ctx;
    (void)events;
    int w = write_some(r);
    if ((w < 0 && w != -EAGAIN) || (w == 0 && r->ended && r->off == r->len)) {
        end(r); // nobody reads any more: the writer finds out by SIGPIPE or EIO of its own
        return 0;
    }
    if (r->off < r->len)
        return 0;
    int x = wait_for(r, true);
    expect_pause(r);
    return x;
}

static int on_end(struct relay *r)
{
    r->ended = true;
    buf_clear(&r->filtered);
    if (r->filter)
        outfilter_end(r->filter, &r->filtered);
    if (r->filtered.len)
        return start_writing(r, r->filtered.data, r->filtered.len);
    end(r);
    return 0;
}

void relay_finish(struct relay *r)
{
    int n = 0;
    if (r->active && !r->ended && r->off == r->len && ioctl(r->from, FIONREAD, &n) == 0 && n == 0)
        (void)on_end(r);
}

// The keys that docker and podman have for it. True: they were there; else *len is what may be
// carried.
static bool take_leave(struct relay *r, size_t *len)
{
    for (size_t i = 0; r->leave && i < *len; i++) {
        if (r->buf[i] != LEAVE_FIRST)
            continue;
        if (i + 1 < *len && r->buf[i + 1] == LEAVE_SECOND)
            return true;
        r->held = i + 1 == *len;
        *len -= r->held;
    }
    return false;
}

static int on_readable(void *ctx, uint32_t events)
{
    struct relay *r = ctx;
    (void)events;
    size_t held = r->held;
    if (held)
        r->buf[0] = LEAVE_FIRST;
    ssize_t n = read(r->from, r->buf + held, sizeof(r->buf) - held);
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return 0;
    loop_cancel(r->loop, r->pause_timer);
    r->pause_timer = 0;
    if (n <= 0) // a pty master says EIO when the last slave is closed
        return on_end(r);
    const char *data = r->buf;
    size_t len = (size_t)n + held;
    r->held = false;
    if (take_leave(r, &len)) {
        r->leave(r->ctx);
        return 0;
    }
    if (r->filter) {
        buf_clear(&r->filtered);
        outfilter_feed(r->filter, r->buf, len, &r->filtered);
        data = r->filtered.data;
        len = r->filtered.len;
    }
    r->fn(r->ctx, false);
    int x = len ? start_writing(r, data, len) : 0;
    if (!len || r->to_is_plain)
        expect_pause(r);
    return x;
}

int relay_start(struct relay *r, struct loop *loop, int from, int to, relay_fn *fn, void *ctx)
{
    r->loop = loop;
    r->from = from;
    r->to = to;
    r->fn = fn;
    r->ctx = ctx;
    r->off = r->len = 0;
    r->ended = false;
    r->pause_timer = 0;
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
