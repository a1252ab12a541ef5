// SPDX-License-Identifier: Apache-2.0
#include "internal/image/chunk.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

struct chunk_ring {
    pthread_mutex_t lock;
    pthread_cond_t freed;  // or stopped
    pthread_cond_t filled; // or ended
    struct chunk *free;    // the one used last comes first: its memory is still in the caches
    struct chunk *head;
    struct chunk **tail;
    bool ended;
    bool stopped;
    unsigned n;
    struct chunk chunks[];
};

int chunk_ring_new(unsigned n_chunks, struct chunk_ring **ret)
{
    struct chunk_ring *r = calloc(1, sizeof(*r) + n_chunks * sizeof(struct chunk));
    if (!r)
        return -ENOMEM;
    (void)pthread_mutex_init(&r->lock, NULL);
    (void)pthread_cond_init(&r->freed, NULL);
    (void)pthread_cond_init(&r->filled, NULL);
    r->tail = &r->head;
    for (; r->n < n_chunks; r->n++) {
        struct chunk *c = &r->chunks[r->n];
        c->data = malloc(CHUNK_SIZE);
        if (!c->data) {
            chunk_ring_free(r);
            return -ENOMEM;
        }
        c->ring = r;
        c->next = r->free;
        r->free = c;
    }
    *ret = r;
    return 0;
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

struct chunk *chunk_ring_take(struct chunk_ring *r)
{
    (void)pthread_mutex_lock(&r->lock);
    while (!r->free && !r->stopped)
        (void)pthread_cond_wait(&r->freed, &r->lock);
    struct chunk *c = r->stopped ? NULL : r->free;
    if (c) {
        r->free = c->next;
        c->next = NULL;
        c->len = 0;
        c->refs = 1;
    }
    (void)pthread_mutex_unlock(&r->lock);
    return c;
}

void chunk_ring_put(struct chunk_ring *r, struct chunk *c)
{
    (void)pthread_mutex_lock(&r->lock);
    *r->tail = c;
    r->tail = &c->next;
    (void)pthread_cond_signal(&r->filled);
    (void)pthread_mutex_unlock(&r->lock);
}

void chunk_ring_end(struct chunk_ring *r)
{
    (void)pthread_mutex_lock(&r->lock);
    r->ended = true;
    (void)pthread_cond_signal(&r->filled);
    (void)pthread_mutex_unlock(&r->lock);
}

struct chunk *chunk_ring_next(struct chunk_ring *r)
{
    (void)pthread_mutex_lock(&r->lock);
    while (!r->head && !r->ended)
        (void)pthread_cond_wait(&r->filled, &r->lock);
    struct chunk *c = r->head;
    if (c) {
        r->head = c->next;
        if (!r->head)
            r->tail = &r->head;
        c->next = NULL;
    }
    (void)pthread_mutex_unlock(&r->lock);
    return c;
}

void chunk_ring_stop(struct chunk_ring *r)
{
    (void)pthread_mutex_lock(&r->lock);
    r->stopped = true;
    (void)pthread_cond_signal(&r->freed);
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
    (void)pthread_cond_signal(&r->freed);
    (void)pthread_mutex_unlock(&r->lock);
}
