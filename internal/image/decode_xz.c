// SPDX-License-Identifier: Apache-2.0
// Each thread in turn looks for the next block, opens its lane, and decodes it while the next
// thread looks for the one behind it. A block whose header has no sizes (xz -T1 writes such) has to
// be decoded before it is known where the next one begins, so the turn is not handed on until then.
#include "internal/image/decode_xz.h"

#include "internal/base/buf.h"
#include "internal/base/err.h"
#include "internal/image/stream_priv.h"
#include "internal/image/xz_unpack.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

// What xz -T0 makes with its default preset (24 MiB), and room for the one that is read.
#define BLOCK_CHUNKS 96U
#define CHUNKS_MAX   (4 * BLOCK_CHUNKS)

#define KEPT_MEMORY (UINT64_C(10) << 20) // by a thread, from one block to the next

struct worker {
    struct decode_xz *all;
    pthread_t id;
    bool started;
    struct xz_unpack unpack;
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
    int r = xz_unpack_begin(&w->unpack, b, err);
    for (r = r == 0 ? 1 : r; r > 0;) {
        struct chunk *c = chunk_ring_take(x->ring, lane);
        if (!c)
            return 0; // nobody wants to know
        uint64_t before = w->unpack.taken;
        r = xz_unpack_some(&w->unpack, c->data, CHUNK_SIZE, &c->len, err);
        x->taken += w->unpack.taken - before;
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
        xz_unpack_free_memory(&w->unpack);
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
    xz_unpack_free_memory(&w->unpack);
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
        xz_unpack_init(&w->unpack, opts->fd);
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
