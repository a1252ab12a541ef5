// SPDX-License-Identifier: Apache-2.0
#include "internal/roots/progress.h"

#include "internal/base/buf.h"
#include "internal/base/bytesize.h"
#include "internal/base/cleanup.h"

#include <inttypes.h>
#include <string.h>

#define BAR_MAX 30U

static void add_time(struct buf *out, uint64_t seconds)
{
    if (seconds < 60)
        buf_addf(out, "%" PRIu64 " s left", seconds);
    else
        buf_addf(out, "%" PRIu64 ":%02" PRIu64 " min left", seconds / 60, seconds % 60);
}

static void add_figures(const struct progress *p, struct buf *out)
{
    bytesize_add(out, p->out);
    if (p->elapsed_us > 0) {
        buf_adds(out, "  ");
        bytesize_add(out, (uint64_t)((double)p->out * 1e6 / (double)p->elapsed_us));
        buf_adds(out, "/s");
    }
    if (p->done > 0 && p->done < p->total) {
        double left = (double)p->elapsed_us * (double)(p->total - p->done) / (double)p->done;
        buf_adds(out, "  ");
        add_time(out, (uint64_t)(left / 1e6) + 1);
    }
}

void progress_format(const char *label, const struct progress *p, unsigned width, bool color,
                     struct buf *out)
{
    AUTO_BUF struct buf figures = {0};
    uint64_t done = p->done < p->total ? p->done : p->total;
    unsigned percent = p->total ? (unsigned)((double)done * 100 / (double)p->total) : 0;
    add_figures(p, &figures);
    size_t used = strlen(label) + sizeof(" [] 100%  ") - 1 + figures.len;
    size_t bar = used + 5 < width ? width - used - 1 : 0;
    buf_addf(out, "%s ", label);
    if (bar > 0 && p->total) {
        if (bar > BAR_MAX)
            bar = BAR_MAX;
        size_t full = bar * percent / 100;
        buf_addc(out, '[');
        if (color)
            buf_adds(out, "\033[1;32m");
        for (size_t i = 0; i < bar; i++) {
            if (i == full && color)
                buf_adds(out, "\033[0m");
            buf_addc(out, i < full ? '#' : ' ');
        }
        if (full >= bar && color)
            buf_adds(out, "\033[0m");
        buf_addf(out, "] %3u%%  ", percent);
        buf_adds(out, buf_str(&figures));
    } else {
        buf_addf(out, "%3u%%", percent);
        if (strlen(label) + 7 + figures.len < width)
            buf_addf(out, " %s", buf_str(&figures));
    }
}
