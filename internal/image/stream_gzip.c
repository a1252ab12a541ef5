// SPDX-License-Identifier: Apache-2.0
// .gz (RFC 1952) by zlib: one member or several, each with its CRC-32 and length verified. gzip(1)
// passes over what stands behind the last member with a warning; here that is refused.
#include "internal/image/stream_priv.h"

#include "internal/base/err.h"

#include <errno.h>
#include <stdlib.h>
#include <zlib.h>

struct gz {
    z_stream strm;
    bool between; // members
};

static void *gz_open(const struct stream_opts *opts)
{
    (void)opts; // a window of 32 KiB, whatever the input says
    struct gz *g = calloc(1, sizeof(*g));
    if (g && inflateInit2(&g->strm, 15 + 16) == Z_OK) // 16: the gzip container and nothing else
        return g;
    free(g);
    return NULL;
}

static void gz_close(void *state)
{
    struct gz *g = state;
    (void)inflateEnd(&g->strm);
    free(g);
}

static int gz_code(void *state, struct span *in, bool last, struct span *out, uint64_t offset,
                   bool *ret_end, struct err *err)
{
    struct gz *g = state;
    if (g->between) {
        if (in->left == 0) {
            *ret_end = last;
            return 0;
        }
        if (in->at[0] != 0x1f || (in->left > 1 && in->at[1] != 0x8b))
            return decoder_garbage("gzip", offset, err);
        (void)inflateReset(&g->strm);
        g->between = false;
    }
    size_t had = in->left;
    g->strm.next_in = in->at;
    g->strm.avail_in = (uInt)in->left;
    g->strm.next_out = out->at;
    g->strm.avail_out = out->left > 1U << 30 ? 1U << 30 : (uInt)out->left;
    uInt out_had = g->strm.avail_out;
    int r = inflate(&g->strm, Z_NO_FLUSH);
    in->at = g->strm.next_in;
    in->left = g->strm.avail_in;
    out->at += out_had - g->strm.avail_out;
    out->left -= out_had - g->strm.avail_out;
    offset += had - in->left;
    if (r == Z_STREAM_END)
        g->between = true;
    else if (r == Z_MEM_ERROR)
        return err_sys(err, ENOMEM, "cannot decode the gzip data");
    else if (r != Z_OK && r != Z_BUF_ERROR)
        return decoder_corrupt("gzip", offset, g->strm.msg ? g->strm.msg : "it makes no sense",
                               err);
    else if (last && in->left == 0 && out->left > 0)
        return decoder_truncated("gzip", offset, err);
    return 0;
}

const struct decoder decoder_gzip = {"gzip", gz_open, gz_close, gz_code};
