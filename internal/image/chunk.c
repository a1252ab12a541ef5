// SPDX-License-Identifier: Apache-2.0
#include "internal/image/chunk.h"

#include "internal/base/buf.h"
#include "internal/base/err.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#define N_LANES 64U // that are open, or not read to their end
#define N_WAKE  4U  // a consumer that waits is told of so many chunks at once, or of the last ones

struct lane {
    struct chunk *head;
    struct chunk **tail;
    unsigned queued;
    bool ended;
};

struct chunk_ring {
    pthread_mutex_t lock;
    pthread_cond_t freed;  // a chunk, or the first lane is another one now, or stopped
    pthread_cond_t filled; // the first lane has a chunk or an end, or there are no lanes any more
    struct chunk *free;    // the one used last comes first: its memory is still in the caches
    unsigned max;
    unsigned in_use; // taken, and not free again
    unsigned later;  // of these, queued behind the first lane
    uint64_t first;  // lane that is read now
    uint64_t opened; // number of the next one
    struct lane lanes[N_LANES];
    bool ended;
    bool stopped;
    bool waiting;         // the consumer
    uint64_t failed_lane; // the lowest, UINT64_MAX: none
    struct err failure;
    unsigned n;
    struct chunk chunks[];
};

struct chunk_ring *chunk_ring_new(unsigned max_chunks)
{
    struct chunk_ring *r = mem_alloc(sizeof(*r) + max_chunks * sizeof(struct chunk));
    (void)pthread_mutex_init(&r->lock, NULL);
    (void)pthread_cond_init(&r->freed, NULL);
    (void)pthread_cond_init(&r->filled, NULL);
    r->max = max_chunks;
    r->failed_lane = UINT64_MAX;
    return r;
}

void chunk_ring_free(struct chunk_ring *r)
{
    if (!r)
        return;
    for (unsigned i = 0; i < r->n; i++)
        free(r->chunks[i].data);
    (void)pthread_cond_destroy(&r->filled);
    (void)pthread_cond_destroy(&r->freed);
    (void)pthread_mutex_destroy(&r->lock);
    free(r);
}

static struct lane *lane_of(struct chunk_ring *r, uint64_t lane)
{
    return &r->lanes[lane % N_LANES];
}

// --- producers --------------------------------------------------------------------------------

bool chunk_lane_open(struct chunk_ring *r, uint64_t *ret_lane)
{
    (void)pthread_mutex_lock(&r->lock);
    while (r->opened - r->first >= N_LANES && !r->stopped)
        (void)pthread_cond_wait(&r->freed, &r->lock);
    bool open = !r->stopped;
    if (open) {
        struct lane *l = lane_of(r, r->opened);
        *l = (struct lane){.tail = &l->head};
        *ret_lane = r->opened++;
    }
    (void)pthread_mutex_unlock(&r->lock);
    return open;
}

static bool may_take(const struct chunk_ring *r, uint64_t lane)
{
    return lane == r->first ? r->in_use - r->later < CHUNKS_AHEAD
                            : r->in_use + CHUNKS_AHEAD < r->max;
}

static struct chunk *free_chunk(struct chunk_ring *r)
{
    struct chunk *c = r->free;
    if (c) {
        r->free = c->next;
        return c;
    }
    if (r->n == r->max)
        return NULL;
    c = &r->chunks[r->n++];
    c->data = mem_grow(NULL, CHUNK_SIZE, 1);
    c->ring = r;
    return c;
}

static void wake_consumer(struct chunk_ring *r)
{
    if (r->waiting)
        (void)pthread_cond_signal(&r->filled);
}

struct chunk *chunk_ring_take(struct chunk_ring *r, uint64_t lane)
{
    struct chunk *c = NULL;
    (void)pthread_mutex_lock(&r->lock);
    while (!r->stopped && (!may_take(r, lane) || !(c = free_chunk(r)))) {
        wake_consumer(r);
        (void)pthread_cond_wait(&r->freed, &r->lock);
    }
    if (c) {
        r->in_use++;
        c->next = NULL;
        c->len = 0;
        c->refs = 1;
    }
    (void)pthread_mutex_unlock(&r->lock);
    return c;
}

void chunk_ring_put(struct chunk_ring *r, uint64_t lane, struct chunk *c)
{
    (void)pthread_mutex_lock(&r->lock);
    struct lane *l = lane_of(r, lane);
    *l->tail = c;
    l->tail = &c->next;
    l->queued++;
    if (lane != r->first)
        r->later++;
    else if (l->queued >= N_WAKE)
        wake_consumer(r);
    (void)pthread_mutex_unlock(&r->lock);
}

void chunk_lane_end(struct chunk_ring *r, uint64_t lane, const struct err *err)
{
    (void)pthread_mutex_lock(&r->lock);
    lane_of(r, lane)->ended = true;
    if (err && lane < r->failed_lane) {
        r->failed_lane = lane;
        r->failure = *err;
    }
    if (lane == r->first)
        wake_consumer(r);
    (void)pthread_mutex_unlock(&r->lock);
}

void chunk_ring_end(struct chunk_ring *r)
{
    (void)pthread_mutex_lock(&r->lock);
    r->ended = true;
    wake_consumer(r);
    (void)pthread_mutex_unlock(&r->lock);
}

// --- the consumer -----------------------------------------------------------------------------

// Steps over lanes that were read to their end. False: there is nothing to read now.
static bool find_filled(struct chunk_ring *r)
{
    while (r->first < r->opened) {
        struct lane *l = lane_of(r, r->first);
        if (l->head)
            return true;
        if (!l->ended || r->first == r->failed_lane)
            return false;
        r->first++;
        if (r->first < r->opened)
            r->later -= lane_of(r, r->first)->queued;
        (void)pthread_cond_broadcast(&r->freed); // more may be taken for the lane that is first now
    }
    return false;
}

static bool at_end(const struct chunk_ring *r)
{
    return r->first < r->opened ? r->first == r->failed_lane && r->lanes[r->first % N_LANES].ended
                                : r->ended;
}

struct chunk *chunk_ring_next(struct chunk_ring *r)
{
    (void)pthread_mutex_lock(&r->lock);
    bool found;
    while (!(found = find_filled(r)) && !at_end(r)) {
        r->waiting = true;
        (void)pthread_cond_wait(&r->filled, &r->lock);
        r->waiting = false;
    }
    struct chunk *c = NULL;
    if (found) {
        struct lane *l = lane_of(r, r->first);
        c = l->head;
        l->head = c->next;
        if (!l->head)
            l->tail = &l->head;
        l->queued--;
        c->next = NULL;
    }
    (void)pthread_mutex_unlock(&r->lock);
    return c;
}

bool chunk_ring_would_wait(struct chunk_ring *r)
{
    (void)pthread_mutex_lock(&r->lock);
    bool wait = !find_filled(r) && !at_end(r);
    (void)pthread_mutex_unlock(&r->lock);
    return wait;
}

int chunk_ring_failure(struct chunk_ring *r, struct err *err)
{
    (void)pthread_mutex_lock(&r->lock);
    bool failed = r->failed_lane != UINT64_MAX;
    if (failed)
        *err = r->failure;
    (void)pthread_mutex_unlock(&r->lock);
    return failed ? -err->num : 0;
}

void chunk_ring_stop(struct chunk_ring *r)
{
    (void)pthread_mutex_lock(&r->lock);
    r->stopped = true;
    (void)pthread_cond_broadcast(&r->freed);
    (void)pthread_mutex_unlock(&r->lock);
}

void chunk_ref(struct chunk *c)
{
    c->refs++;
}

void chunk_unref(struct chunk *c)
{
    if (!c || --c->refs > 0)
        return;
    struct chunk_ring *r = c->ring;
    (void)pthread_mutex_lock(&r->lock);
    c->next = r->free;
    r->free = c;
    r->in_use--;
    (void)pthread_cond_broadcast(&r->freed);
    (void)pthread_mutex_unlock(&r->lock);
}
