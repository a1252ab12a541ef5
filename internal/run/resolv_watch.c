// SPDX-License-Identifier: Apache-2.0
#include "internal/run/resolv_watch.h"

#include "internal/base/buf.h"
#include "internal/base/cleanup.h"
#include "internal/base/fd.h"
#include "internal/base/loop.h"

#include <fcntl.h>

#define RESOLV_CONF     "/etc/resolv.conf"
#define RESOLV_CONF_MAX (64U << 10)
#define LOOK_EACH_US    UINT64_C(1000000)

void resolv_watch_read(struct resolv_watch *w, struct buf *text)
{
    AUTO_FD int fd = open(RESOLV_CONF, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    w->seen = (struct stat){0};
    if (fd < 0 || fstat(fd, &w->seen) < 0)
        return;
    if (fd_read_all(fd, RESOLV_CONF_MAX, text) < 0)
        buf_clear(text);
}

static int is_same(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static int look(void *ctx)
{
    struct resolv_watch *w = ctx;
    struct stat now = {0};
    (void)stat(RESOLV_CONF, &now);
    // A file that is gone for a moment is on its way: the resolvers stay.
    if (now.st_ino && !is_same(&now, &w->seen)) {
        AUTO_BUF struct buf text = {0};
        resolv_watch_read(w, &text);
        w->changed(w->ctx, &text);
    }
    w->timer = loop_at(w->loop, loop_now_us() + LOOK_EACH_US, look, w);
    return w->timer < 0 ? w->timer : 0;
}

int resolv_watch_start(struct resolv_watch *w, struct loop *loop,
                       void (*changed)(void *ctx, const struct buf *text), void *ctx)
{
    w->loop = loop;
    w->changed = changed;
    w->ctx = ctx;
    w->timer = loop_at(loop, loop_now_us() + LOOK_EACH_US, look, w);
    return w->timer < 0 ? w->timer : 0;
}

void resolv_watch_stop(struct resolv_watch *w)
{
    if (w->loop)
        loop_cancel(w->loop, w->timer);
    w->timer = 0;
}
