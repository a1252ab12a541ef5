// SPDX-License-Identifier: Apache-2.0
// .xz by liblzma. Only the .xz container is taken: lzma_auto_decoder would bring the .lzma and
// .lzip parsers too, which nobody needs and which had a hole of their own.
#include "internal/image/lzma_trust.h"
#include "internal/image/stream_priv.h"

#include "internal/base/err.h"

#include <errno.h>
#include <lzma.h>
#include <stdlib.h>

#define FLAGS (LZMA_CONCATENATED | LZMA_TELL_UNSUPPORTED_CHECK)

struct xz {
    lzma_stream strm;
    uint64_t limit;
};

static void *xz_open(const struct stream_opts *opts)
{
    struct xz *x = calloc(1, sizeof(*x));
    if (!x)
        return NULL;
    x->strm = (lzma_stream)LZMA_STREAM_INIT;
    x->limit = opts->memory_limit;
    lzma_ret r;
    if (opts->threads > 1) {
        // Above memlimit_threading it decodes with fewer threads; above memlimit_stop it refuses.
        lzma_mt mt = {
            .flags = FLAGS,
            .threads = opts->threads,
            .memlimit_threading = opts->memory_limit,
            .memlimit_stop = opts->memory_limit,
        };
        r = lzma_stream_decoder_mt(&x->strm, &mt);
    } else {
        r = lzma_stream_decoder(&x->strm, opts->memory_limit, FLAGS);
    }
    if (r == LZMA_OK)
        return x;
    free(x);
    return NULL;
}

static void xz_close(void *state)
{
    struct xz *x = state;
    lzma_end(&x->strm);
    free(x);
}

static int failed(struct xz *x, lzma_ret r, uint64_t offset, struct err *err)
{
    switch (r) {
    case LZMA_FORMAT_ERROR: // behind the first stream
        return decoder_garbage("xz", offset, err);
    case LZMA_OPTIONS_ERROR:
        return decoder_corrupt("xz", offset, "it uses options that liblzma does not know", err);
    case LZMA_UNSUPPORTED_CHECK:
        return decoder_corrupt("xz", offset, "its checksum is of a type that liblzma cannot verify",
                               err);
    case LZMA_BUF_ERROR:
        return decoder_truncated("xz", offset, err);
    case LZMA_MEMLIMIT_ERROR:
        return decoder_too_big("xz", lzma_memusage(&x->strm), x->limit, err);
    case LZMA_MEM_ERROR:
        return err_sys(err, ENOMEM, "cannot decode the xz data");
    default:
        return decoder_corrupt("xz", offset, "a checksum or a length is wrong", err);
    }
}

static int xz_code(void *state, struct span *in, bool last, struct span *out, uint64_t offset,
                   bool *ret_end, struct err *err)
{
    struct xz *x = state;
    size_t had = in->left;
    x->strm.next_in = in->at;
    x->strm.avail_in = in->left;
    x->strm.next_out = out->at;
    x->strm.avail_out = out->left;
    lzma_ret r = lzma_code(&x->strm, last ? LZMA_FINISH : LZMA_RUN);
    in->at += had - x->strm.avail_in;
    in->left = x->strm.avail_in;
    out->at = x->strm.next_out;
    out->left = x->strm.avail_out;
    if (r == LZMA_STREAM_END) {
        *ret_end = true;
        return 0;
    }
    return r == LZMA_OK ? 0 : failed(x, r, offset + (had - in->left), err);
}

const struct decoder decoder_xz = {"xz", xz_open, xz_close, xz_code};
