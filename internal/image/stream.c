// SPDX-License-Identifier: Apache-2.0
#include "internal/image/stream.h"

#include "internal/base/buf.h"
#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/base/fd.h"
#include "internal/image/stream_priv.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <string.h>

// Large enough for a read to cost nothing beside what is decoded from it, small enough for the
// caches.
#define IN_SIZE (128U << 10)

struct stream {
    int fd;
    enum stream_format format;
    const struct decoder *decoder; // NULL: the input is the archive itself
    void *state;
    bool eof; // of the input
    bool ended;
    struct span in;
    _Atomic uint64_t offset; // of in.at in the input
    unsigned char buffer[IN_SIZE];
};

int decoder_truncated(const char *name, uint64_t offset, struct err *err)
{
    return err_set(err, EBADMSG, "the %s data ends too early, at byte %" PRIu64 ": it was cut off",
                   name, offset);
}

int decoder_corrupt(const char *name, uint64_t offset, const char *why, struct err *err)
{
    return err_set(err, EBADMSG, "the %s data is damaged near byte %" PRIu64 ": %s", name, offset,
                   why);
}

int decoder_garbage(const char *name, uint64_t offset, struct err *err)
{
    return err_set(err, EBADMSG,
                   "there is something else behind the end of the %s data, at byte %" PRIu64, name,
                   offset);
}

int decoder_too_big(const char *name, uint64_t want, uint64_t limit, struct err *err)
{
    if (want == 0)
        return err_set(err, ENOMEM,
                       "the %s data needs more memory to decode than the %" PRIu64
                       " MiB that are allowed",
                       name, limit >> 20);
    return err_set(err, ENOMEM,
                   "the %s data needs %" PRIu64 " MiB of memory to decode, more than"
                   " the %" PRIu64 " MiB that are allowed",
                   name, (want >> 20) + 1, limit >> 20);
}

static int refill(struct stream *s, struct err *err)
{
    if (s->eof || s->in.left > 0)
        return 0;
    ssize_t n = fd_read_full(s->fd, s->buffer, sizeof(s->buffer));
    if (n < 0)
        return err_sys(err, (int)-n, "cannot read the tarball at byte %" PRIu64, s->offset);
    s->in = (struct span){s->buffer, (size_t)n};
    s->eof = (size_t)n < sizeof(s->buffer);
    return 0;
}

static const struct decoder *decoder_for(enum stream_format format)
{
    static const struct decoder *const table[] = {
        [STREAM_XZ] = &decoder_xz,     [STREAM_GZIP] = &decoder_gzip,
        [STREAM_ZSTD] = &decoder_zstd, [STREAM_BZIP2] = &decoder_bzip2,
        [STREAM_UNKNOWN] = NULL,
    };
    return table[format];
}

int stream_open(int fd, const struct stream_opts *opts, struct stream **ret, struct err *err)
{
    struct stream *s = mem_alloc(sizeof(*s));
    s->fd = fd;
    const char *what = NULL;
    int r = refill(s, err);
    if (r == 0) {
        s->format = stream_detect(s->in.at, s->in.left, &what);
        if (s->format == STREAM_UNKNOWN) {
            (void)err_set(err, EBADMSG, "it is %s", what);
            r = err_hint(err, "bryo takes tar archives, plain or compressed by xz, gzip, zstd or"
                              " bzip2");
        }
    }
    if (r == 0 && s->format != STREAM_TAR) {
        s->decoder = decoder_for(s->format);
        s->state = s->decoder->open(opts);
        if (!s->state)
            r = err_sys(err, ENOMEM, "cannot start the %s decoder", s->decoder->name);
    }
    if (r < 0) {
        stream_close(s);
        return r;
    }
    *ret = s;
    return 0;
}

void stream_close(struct stream *s)
{
    if (!s)
        return;
    if (s->state)
        s->decoder->close(s->state);
    free(s);
}

static void plain(struct stream *s, struct span *out)
{
    size_t n = s->in.left < out->left ? s->in.left : out->left;
    memcpy(out->at, s->in.at, n);
    s->in.at += n;
    s->in.left -= n;
    out->at += n;
    out->left -= n;
    s->ended = s->eof && s->in.left == 0;
}

ssize_t stream_read(struct stream *s, void *bytes, size_t n, struct err *err)
{
    struct span out = {bytes, n};
    while (out.left > 0 && !s->ended) {
        int r = refill(s, err);
        if (r < 0)
            return r;
        size_t before = s->in.left;
        if (s->decoder)
            r = s->decoder->code(s->state, &s->in, s->eof, &out, s->offset, &s->ended, err);
        else
            plain(s, &out);
        s->offset += before - s->in.left;
        if (r < 0)
            return r;
    }
    return (ssize_t)(n - out.left);
}

enum stream_format stream_format_of(const struct stream *s)
{
    return s->format;
}

uint64_t stream_input_offset(const struct stream *s)
{
    return s->offset;
}
