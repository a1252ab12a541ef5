// SPDX-License-Identifier: Apache-2.0
// .zst (RFC 8878) by libzstd: frames one after another, skippable ones too. A frame's checksum is
// verified where it has one.
#include "internal/image/stream_priv.h"

#include "internal/base/err.h"

#include <errno.h>
#include <stdlib.h>
#include <zstd.h>
#include <zstd_errors.h>

struct zst {
    ZSTD_DCtx *ctx;
    uint64_t limit;
    bool between; // frames
};

static void *zst_open(const struct stream_opts *opts)
{
    struct zst *z = calloc(1, sizeof(*z));
    if (!z)
        return NULL;
    z->limit = opts->memory_limit;
    z->ctx = ZSTD_createDCtx();
    // The window is what a frame makes the decoder allocate; its largest power of two below the
    // limit.
    int window_log = 10;
    while (window_log < 31 && (UINT64_C(2) << window_log) <= opts->memory_limit)
        window_log++;
    if (z->ctx && !ZSTD_isError(ZSTD_DCtx_setParameter(z->ctx, ZSTD_d_windowLogMax, window_log)))
        return z;
    (void)ZSTD_freeDCtx(z->ctx);
    free(z);
    return NULL;
}

static void zst_close(void *state)
{
    struct zst *z = state;
    (void)ZSTD_freeDCtx(z->ctx);
    free(z);
}

static int zst_code(void *state, struct span *in, bool last, struct span *out, uint64_t offset,
                    bool *ret_end, struct err *err)
{
    struct zst *z = state;
    if (z->between && in->left == 0) {
        *ret_end = last;
        return 0;
    }
    ZSTD_inBuffer ib = {in->at, in->left, 0};
    ZSTD_outBuffer ob = {out->at, out->left, 0};
    size_t r = ZSTD_decompressStream(z->ctx, &ob, &ib);
    in->at += ib.pos;
    in->left -= ib.pos;
    out->at += ob.pos;
    out->left -= ob.pos;
    offset += ib.pos;
    if (ZSTD_isError(r)) {
        switch (ZSTD_getErrorCode(r)) {
        case ZSTD_error_frameParameter_windowTooLarge:
            return decoder_too_big("zstd", 0, z->limit, err);
        case ZSTD_error_prefix_unknown:
            return decoder_garbage("zstd", offset, err);
        case ZSTD_error_memory_allocation:
            return err_sys(err, ENOMEM, "cannot decode the zstd data");
        default:
            return decoder_corrupt("zstd", offset, ZSTD_getErrorName(r), err);
        }
    }
    z->between = r == 0;
    if (!z->between && last && in->left == 0 && out->left > 0)
        return decoder_truncated("zstd", offset, err);
    return 0;
}

const struct decoder decoder_zstd = {"zstd", zst_open, zst_close, zst_code};
