// SPDX-License-Identifier: Apache-2.0
// Each thread in turn looks for the next block, opens its lane, and decodes it while the next
// thread looks for the one behind it. A block whose header has no sizes (xz -T1 writes such) has to
// be decoded before it is known where the next one begins, so the turn is not handed on until then.
#include "internal/image/decode_xz.h"

#include "internal/base/buf.h"
#include "internal/base/err.h"
#include "internal/image/stream_priv.h"
#include "internal/image/xz_scan.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#define IN_SIZE (128U << 10)

// What xz -T0 makes with its default preset (24 MiB), and room for the one that is read.
#define BLOCK_CHUNKS 96U
#define CHUNKS_MAX   (4 * BLOCK_CHUNKS)

#define KEPT_MEMORY (UINT64_C(10) << 20) // by a thread, from one block to the next

struct worker {
    struct decode_xz *all;
    pthread_t id;
    bool started;
    lzma_stream strm;
    unsigned char in[IN_SIZE];
};

struct decode_xz {
    struct decode_opts opts;
    struct chunk_ring *ring;
    pthread_mutex_t turn; // who looks for the next block holds it
    struct xz_scan scan;
    bool ended;
    pthread_mutex_t lock; // of memory
    pthread_cond_t less;
    uint64_t memory; // of all who decode now
    _Atomic uint64_t taken;
    pthread_mutex_t ticking;
    unsigned n;
    struct worker workers[];
};

unsigned decode_xz_chunks(unsigned threads)
{
    unsigned n = threads > CHUNKS_MAX / BLOCK_CHUNKS ? CHUNKS_MAX : threads * BLOCK_CHUNKS;
    return n + CHUNKS_AHEAD;
}

// --- memory -----------------------------------------------------------------------------------

static int take_memory(struct decode_xz *x, uint64_t need, uint64_t offset, struct err *err)
{
    if (need == UINT64_MAX)
        return xz_failed(LZMA_OPTIONS_ERROR, offset, err);
    if (need > x->opts.memory)
        return decoder_too_big("xz", need, x->opts.memory, err);
    (void)pthread_mutex_lock(&x->lock);
    while (x->memory > 0 && x->memory + need > x->opts.memory / 2)
        (void)pthread_cond_wait(&x->less, &x->lock);
    x->memory += need;
    (void)pthread_mutex_unlock(&x->lock);
    return 0;
}

static void give_memory(struct decode_xz *x, uint64_t n)
{
    (void)pthread_mutex_lock(&x->lock);
    x->memory -= n;
    (void)pthread_cond_broadcast(&x->less);
    (void)pthread_mutex_unlock(&x->lock);
}

// --- one block --------------------------------------------------------------------------------

static int refill(struct worker *w, const struct xz_block *b, uint64_t *at, struct err *err)
{
    uint64_t left = b->end - *at;
    ssize_t n;
    while ((n = pread(w->all->opts.fd, w->in, left < IN_SIZE ? left : IN_SIZE, (off_t)*at)) < 0)
        if (errno != EINTR)
            return err_sys(err, errno, "cannot read the tarball at byte %llu",
                           (unsigned long long)*at);
    w->strm.next_in = w->in;
    w->strm.avail_in = (size_t)n;
    *at += (uint64_t)n;
    w->all->taken += (uint64_t)n;
    return 0;
}

// Fills the chunk. 1: there is more; 0: the block has ended.
static int fill(struct worker *w, const struct xz_block *b, struct chunk *c, uint64_t *at,
                struct err *err)
{
    w->strm.next_out = c->data;
    w->strm.avail_out = CHUNK_SIZE;
    lzma_ret x = LZMA_OK;
    while (x == LZMA_OK && w->strm.avail_out > 0) {
        int r = w->strm.avail_in == 0 && *at < b->end ? refill(w, b, at, err) : 0;
        if (r < 0)
            return r;
        x = lzma_code(&w->strm, LZMA_RUN);
        if (x == LZMA_BUF_ERROR && b->has_sizes)
            x = LZMA_DATA_ERROR; // the block is longer than its header says
    }
    c->len = CHUNK_SIZE - w->strm.avail_out;
    if (x == LZMA_OK || x == LZMA_STREAM_END)
        return x == LZMA_OK;
    return xz_failed(x, *at - w->strm.avail_in, err);
}

static void tick(struct decode_xz *x)
{
    if (!x->opts.tick || pthread_mutex_trylock(&x->ticking) != 0)
        return;
    x->opts.tick(x->opts.tick_ctx, x->taken);
    (void)pthread_mutex_unlock(&x->ticking);
}

static int decode_block(struct worker *w, struct xz_block *b, uint64_t lane, struct err *err)
{
    struct decode_xz *x = w->all;
    uint64_t at = b->at;
    lzma_ret l = lzma_block_decoder(&w->strm, &b->block);
    w->strm.avail_in = 0;
    if (l != LZMA_OK)
        return xz_failed(l, at, err);
    int r = 1;
    while (r > 0) {
        struct chunk *c = chunk_ring_take(x->ring, lane);
        if (!c)
            return 0; // nobody wants to know
        r = fill(w, b, c, &at, err);
        if (r >= 0 && c->len > 0)
            chunk_ring_put(x->ring, lane, c);
        else
            chunk_unref(c);
        tick(x);
    }
    return r;
}

// --- threads ----------------------------------------------------------------------------------

// With the turn held: the next block, with its lane and its memory. False: there is none, and who
// asks next need not look either.
static bool next_block(struct decode_xz *x, struct xz_block *b, uint64_t *lane, uint64_t *memory)
{
    struct err err = {0};
    if (x->ended || !chunk_lane_open(x->ring, lane))
        return false;
    uint64_t before = x->scan.at;
    int r = xz_scan_next(&x->scan, b, &err);
    if (r > 0) {
        *memory = lzma_raw_decoder_memusage(b->filters);
        r = take_memory(x, *memory, before, &err);
        if (r == 0)
            return true;
        xz_block_done(b);
    }
    x->ended = true;
    chunk_lane_end(x->ring, *lane, r < 0 ? &err : NULL);
    chunk_ring_end(x->ring);
    return false;
}

// With the turn held. False: it was the last one.
static bool one_block(struct worker *w)
{
    struct decode_xz *x = w->all;
    struct xz_block b;
    struct err err = {0};
    uint64_t lane = 0;
    uint64_t memory = 0;
    bool mine = next_block(x, &b, &lane, &memory);
    bool keep_turn = mine && !b.has_sizes;
    if (!keep_turn)
        (void)pthread_mutex_unlock(&x->turn);
    if (!mine)
        return false;
    int r = decode_block(w, &b, lane, &err);
    if (r == 0 && keep_turn && b.block.compressed_size != LZMA_VLI_UNKNOWN)
        r = xz_scan_note(&x->scan, &b, &err);
    if (memory > KEPT_MEMORY)
        lzma_end(&w->strm);
    give_memory(x, memory);
    xz_block_done(&b);
    chunk_lane_end(x->ring, lane, r < 0 ? &err : NULL);
    if (!keep_turn)
        (void)pthread_mutex_lock(&x->turn);
    if (r < 0 && !x->ended) {
        x->ended = true;
        chunk_ring_end(x->ring);
    }
    (void)pthread_mutex_unlock(&x->turn);
    return r == 0;
}

static void *thread_main(void *arg)
{
    struct worker *w = arg;
    do
        (void)pthread_mutex_lock(&w->all->turn);
    while (one_block(w));
    lzma_end(&w->strm);
    return NULL;
}

int decode_xz_start(const struct decode_opts *opts, uint64_t size, struct chunk_ring *ring,
                    struct decode_xz **ret, struct err *err)
{
    struct decode_xz *x = mem_alloc(sizeof(*x) + opts->threads * sizeof(struct worker));
    x->opts = *opts;
    x->ring = ring;
    xz_scan_init(&x->scan, opts->fd, size);
    (void)pthread_mutex_init(&x->turn, NULL);
    (void)pthread_mutex_init(&x->lock, NULL);
    (void)pthread_mutex_init(&x->ticking, NULL);
    (void)pthread_cond_init(&x->less, NULL);
    *ret = x;
    for (; x->n < opts->threads; x->n++) {
        struct worker *w = &x->workers[x->n];
        w->all = x;
        w->strm = (lzma_stream)LZMA_STREAM_INIT;
        int r = pthread_create(&w->id, NULL, thread_main, w);
        w->started = r == 0;
        if (r != 0)
            return err_sys(err, r, "cannot start a thread");
    }
    return 0;
}

void decode_xz_stop(struct decode_xz *x)
{
    for (unsigned i = 0; x && i < x->n; i++) {
        if (x->workers[i].started)
            (void)pthread_join(x->workers[i].id, NULL);
        x->workers[i].started = false;
    }
}

void decode_xz_free(struct decode_xz *x)
{
    if (!x)
        return;
    decode_xz_stop(x);
    xz_scan_done(&x->scan);
    (void)pthread_cond_destroy(&x->less);
    (void)pthread_mutex_destroy(&x->ticking);
    (void)pthread_mutex_destroy(&x->lock);
    (void)pthread_mutex_destroy(&x->turn);
    free(x);
}
