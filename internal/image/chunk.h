// SPDX-License-Identifier: Apache-2.0
// Decoded bytes on their way from the decoder's thread to those that write files: a fixed number of
// blocks, handed on by reference and never copied. Their number bounds both memory and how far the
// decoder may run ahead.
#ifndef BRYO_IMAGE_CHUNK_H
#define BRYO_IMAGE_CHUNK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CHUNK_SIZE (256U << 10)

struct chunk_ring;

struct chunk {
    unsigned char *data; // CHUNK_SIZE bytes
    size_t len;
    _Atomic unsigned refs;
    struct chunk_ring *ring;
    struct chunk *next;
};

int chunk_ring_new(unsigned n_chunks, struct chunk_ring **ret); // -ENOMEM
void chunk_ring_free(struct chunk_ring *r); // when no thread uses it any more; NULL is fine

// Producer. A chunk to fill, or NULL after chunk_ring_stop(). Waits until one is free.
struct chunk *chunk_ring_take(struct chunk_ring *r);
void chunk_ring_put(struct chunk_ring *r, struct chunk *c); // c->len bytes of it are filled
void chunk_ring_end(struct chunk_ring *r);                  // no more will come

// Consumer. The next chunk, with a reference for the caller; NULL after the last.
struct chunk *chunk_ring_next(struct chunk_ring *r);
void chunk_ring_stop(struct chunk_ring *r); // no more is wanted

void chunk_ref(struct chunk *c);
void chunk_unref(struct chunk *c); // NULL is fine; from any thread

#endif
