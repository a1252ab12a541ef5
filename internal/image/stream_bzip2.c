// SPDX-License-Identifier: Apache-2.0
// .bz2 by libbz2: one stream or several, each with its CRC verified.
#include "internal/image/stream_priv.h"

#include "internal/base/err.h"

#include <bzlib.h>
#include <errno.h>
#include <stdlib.h>

struct bz {
    bz_stream strm;
    bool open;
    bool between; // streams
};

static void *bz_open(const struct stream_opts *opts)
{
    (void)opts; // 3.7 MB at most, whatever the input says
    struct bz *b = calloc(1, sizeof(*b));
    if (b && BZ2_bzDecompressInit(&b->strm, 0, 0) == BZ_OK) {
        b->open = true;
        return b;
    }
    free(b);
    return NULL;
}

static void bz_close(void *state)
{
    struct bz *b = state;
    if (b->open)
        (void)BZ2_bzDecompressEnd(&b->strm);
    free(b);
}

static int bz_code(void *state, struct span *in, bool last, struct span *out, uint64_t offset,
                   bool *ret_end, struct err *err)
{
    struct bz *b = state;
    if (b->between) {
        if (in->left == 0) {
            *ret_end = last;
            return 0;
        }
        if (in->at[0] != 'B')
            return decoder_garbage("bzip2", offset, err);
        (void)BZ2_bzDecompressEnd(&b->strm);
        b->strm = (bz_stream){0};
        b->open = BZ2_bzDecompressInit(&b->strm, 0, 0) == BZ_OK;
        if (!b->open)
            return err_sys(err, ENOMEM, "cannot decode the bzip2 data");
        b->between = false;
    }
    size_t had = in->left;
    b->strm.next_in = (char *)in->at;
    b->strm.avail_in = (unsigned)in->left;
    b->strm.next_out = (char *)out->at;
    b->strm.avail_out = out->left > 1U << 30 ? 1U << 30 : (unsigned)out->left;
    unsigned out_had = b->strm.avail_out;
    int r = BZ2_bzDecompress(&b->strm);
    in->at += had - b->strm.avail_in;
    in->left = b->strm.avail_in;
    out->at += out_had - b->strm.avail_out;
    out->left -= out_had - b->strm.avail_out;
    offset += had - in->left;
    if (r == BZ_STREAM_END)
        b->between = true;
    else if (r == BZ_MEM_ERROR)
        return err_sys(err, ENOMEM, "cannot decode the bzip2 data");
    else if (r != BZ_OK)
        return decoder_corrupt("bzip2", offset, "a checksum or a code is wrong", err);
    else if (last && in->left == 0 && out->left > 0)
        return decoder_truncated("bzip2", offset, err);
    return 0;
}

const struct decoder decoder_bzip2 = {"bzip2", bz_open, bz_close, bz_code};
