// SPDX-License-Identifier: Apache-2.0
#include "internal/image/decode.h"

#include "internal/base/buf.h"
#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/image/decode_xz.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>

struct decode {
    struct decode_opts opts;
    struct chunk_ring *ring;
    enum stream_format format;
    // one thread
    struct stream *stream;
    pthread_t thread;
    bool started;
    // several
    struct decode_xz *xz;
};

static void *decode_stream(void *arg)
{
    struct decode *d = arg;
    struct err err = {0};
    uint64_t lane = 0;
    ssize_t n = 0;
    struct chunk *c;
    if (!chunk_lane_open(d->ring, &lane))
        return NULL;
    while ((c = chunk_ring_take(d->ring, lane))) {
        n = stream_read(d->stream, c->data, CHUNK_SIZE, &err);
        if (n <= 0) {
            chunk_unref(c);
            break;
        }
        c->len = (size_t)n;
        chunk_ring_put(d->ring, lane, c);
        if (d->opts.tick)
            d->opts.tick(d->opts.tick_ctx, stream_input_offset(d->stream));
    }
    chunk_lane_end(d->ring, lane, n < 0 ? &err : NULL);
    chunk_ring_end(d->ring);
    return NULL;
}

static int start_stream(struct decode *d, struct err *err)
{
    const struct stream_opts opts = {1, d->opts.memory};
    int r = stream_open(d->opts.fd, &opts, &d->stream, err);
    if (r < 0)
        return r;
    d->format = stream_format_of(d->stream);
    d->ring = chunk_ring_new(CHUNKS_AHEAD);
    r = pthread_create(&d->thread, NULL, decode_stream, d);
    d->started = r == 0;
    return r ? err_sys(err, r, "cannot start a thread") : 0;
}

static bool is_xz(int fd)
{
    unsigned char bytes[STREAM_DETECT_SIZE];
    ssize_t n = pread(fd, bytes, sizeof(bytes), 0);
    return n > 0 && stream_detect(bytes, (size_t)n, NULL) == STREAM_XZ;
}

int decode_start(const struct decode_opts *opts, struct decode **ret, struct err *err)
{
    struct stat st;
    struct decode *d = mem_alloc(sizeof(*d));
    d->opts = *opts;
    int r = 0;
    if (fstat(opts->fd, &st) == 0 && S_ISREG(st.st_mode) && is_xz(opts->fd)) {
        d->format = STREAM_XZ;
        d->ring = chunk_ring_new(decode_xz_chunks(opts->threads));
        r = decode_xz_start(opts, (uint64_t)st.st_size, d->ring, &d->xz, err);
    } else {
        r = start_stream(d, err);
    }
    if (r < 0) {
        decode_free(d);
        return r;
    }
    *ret = d;
    return 0;
}

struct chunk *decode_next(struct decode *d)
{
    return chunk_ring_next(d->ring);
}

bool decode_would_wait(struct decode *d)
{
    return chunk_ring_would_wait(d->ring);
}

int decode_failure(struct decode *d, struct err *err)
{
    return chunk_ring_failure(d->ring, err);
}

enum stream_format decode_format(const struct decode *d)
{
    return d->format;
}

void decode_stop(struct decode *d)
{
    if (d->ring)
        chunk_ring_stop(d->ring);
    if (d->started)
        (void)pthread_join(d->thread, NULL);
    d->started = false;
    decode_xz_stop(d->xz);
}

void decode_free(struct decode *d)
{
    if (!d)
        return;
    decode_stop(d);
    stream_close(d->stream);
    decode_xz_free(d->xz);
    chunk_ring_free(d->ring);
    free(d);
}
