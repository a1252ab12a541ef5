// SPDX-License-Identifier: Apache-2.0
#include "internal/roots/host_bar.h"

#include "internal/base/buf.h"
#include "internal/base/cleanup.h"
#include "internal/base/log.h"
#include "internal/base/loop.h"
#include "internal/image/unpack_wire.h"
#include "internal/roots/progress.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

// Nothing is drawn for what takes no time.
#define SHOW_AFTER_US 300000U

void host_bar_draw(struct host_bar *b, const struct wire_progress *p)
{
    uint64_t elapsed = loop_now_us() - b->start_us;
    if (!b->on || elapsed < SHOW_AFTER_US)
        return;
    struct winsize ws = {0};
    unsigned width = ioctl(STDERR_FILENO, TIOCGWINSZ, &ws) == 0 && ws.ws_col >= 20 ? ws.ws_col : 80;
    AUTO_BUF struct buf line = {0};
    struct progress now = {p->in, p->in_total, p->out, p->entries, elapsed};
    buf_adds(&line, "\r\033[K");
    progress_format(b->label, &now, width, b->color, &line);
    ssize_t n = write(STDERR_FILENO, line.data, line.len);
    (void)n;
    b->drawn = true;
}

void host_bar_erase(struct host_bar *b)
{
    static const char erase[] = "\r\033[K";
    if (b->drawn) {
        ssize_t n = write(STDERR_FILENO, erase, sizeof(erase) - 1);
        (void)n;
    }
}

struct host_bar host_bar_begin(const char *label, bool show)
{
    const char *term = getenv("TERM");
    const char *no_color = getenv("NO_COLOR"); // no-color.org: set and not empty
    return (struct host_bar){
        .label = label,
        .on = show && log_get_level() > LOG_QUIET && term && strcmp(term, "dumb") != 0,
        .color = !(no_color && no_color[0]),
        .start_us = loop_now_us(),
    };
}
