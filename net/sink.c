// SPDX-License-Identifier: Apache-2.0
#include "net/sink.h"

#include "internal/base/buf.h"
#include "internal/base/loop.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct sink {
    struct loop *loop;
    int fd;
    int timer;
    int error;
    struct buf waiting;
};

struct sink *sink_new(struct loop *loop, int fd)
{
    struct sink *s = mem_alloc(sizeof(*s));
    s->loop = loop;
    s->fd = fd;
    return s;
}

static void flush(struct sink *s)
{
    size_t at = 0;
    while (at < s->waiting.len && !s->error) {
        ssize_t n = write(s->fd, s->waiting.data + at, s->waiting.len - at);
        if (n > 0)
            at += (size_t)n;
        else if (n < 0 && errno == EAGAIN)
            break;
        else if (n < 0 && errno != EINTR)
            s->error = errno;
    }
    if (s->error)
        at = s->waiting.len;
    memmove(s->waiting.data, s->waiting.data + at, s->waiting.len - at);
    s->waiting.len -= at;
}

static int on_timer(void *ctx)
{
    struct sink *s = ctx;
    s->timer = 0;
    flush(s);
    if (s->waiting.len)
        s->timer = loop_at(s->loop, loop_now_us() + SINK_EACH_US, on_timer, s);
    return 0;
}

bool sink_add(struct sink *s, const void *bytes, size_t n)
{
    if (s->error || s->waiting.len + n > SINK_WAIT_MAX)
        return false;
    buf_add(&s->waiting, bytes, n);
    if (s->waiting.len >= SINK_FULL)
        flush(s);
    if (s->waiting.len && s->timer <= 0)
        s->timer = loop_at(s->loop, loop_now_us() + SINK_EACH_US, on_timer, s);
    return true;
}

int sink_error(const struct sink *s)
{
    return s->error;
}

void sink_free(struct sink *s)
{
    if (!s)
        return;
    loop_cancel(s->loop, s->timer);
    if (s->waiting.len)
        flush(s);
    buf_done(&s->waiting);
    free(s);
}
