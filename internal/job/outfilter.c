// SPDX-License-Identifier: Apache-2.0
#include "internal/job/outfilter.h"

#include "internal/base/buf.h"

// From the guard on.
static void onwards(struct outfilter *f, const char *bytes, size_t n, struct buf *out)
{
    AUTO_BUF struct buf guarded = {0};
    size_t before = out->len;
    if (f->guards && n) {
        guard_feed(&f->guard, bytes, n, f->terminal ? &guarded : out);
        if (f->terminal)
            termsafe_feed(&f->term, guarded.data, guarded.len, out);
    } else if (n) {
        buf_add(out, bytes, n);
    }
    if (out->len > before)
        f->mid_line = out->data[out->len - 1] != '\n';
}

void outfilter_feed(struct outfilter *f, const void *bytes, size_t n, struct buf *out)
{
    AUTO_BUF struct buf masked = {0};
    if (f->mask.m)
        mask_feed(&f->mask, bytes, n, &masked);
    onwards(f, f->mask.m ? masked.data : bytes, f->mask.m ? masked.len : n, out);
}

bool outfilter_holds(const struct outfilter *f)
{
    return mask_holds(&f->mask);
}

void outfilter_pause(struct outfilter *f, struct buf *out)
{
    AUTO_BUF struct buf masked = {0};
    mask_pause(&f->mask, &masked);
    onwards(f, masked.data, masked.len, out);
}

void outfilter_end(struct outfilter *f, struct buf *out)
{
    AUTO_BUF struct buf masked = {0};
    mask_end(&f->mask, &masked);
    onwards(f, masked.data, masked.len, out);
    size_t before = out->len;
    termsafe_end(&f->term, out);
    if (out->len > before)
        f->mid_line = true;
}

void outfilter_done(struct outfilter *f)
{
    mask_stream_done(&f->mask);
}
