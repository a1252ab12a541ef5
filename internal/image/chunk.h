// SPDX-License-Identifier: Apache-2.0
// Decoded bytes on their way from threads that decode to those that write files: blocks of memory,
// handed on by reference and never copied.
//
// Several threads may decode parts of the input that follow each other. Each fills a lane; the
// consumer sees the lanes one after another, in the order in which they were opened, whoever was
// done first. What bounds memory: the first lane may run ahead of the consumer by CHUNKS_AHEAD, and
// the lanes behind it share what the ring has beyond that.
#ifndef BRYO_IMAGE_CHUNK_H
#define BRYO_IMAGE_CHUNK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CHUNK_SIZE   (256U << 10)
#define CHUNKS_AHEAD 64U // the consumer must give chunks back before it holds so many

struct chunk_ring;
struct err;

struct chunk {
    unsigned char *data; // CHUNK_SIZE bytes
    size_t len;
    _Atomic unsigned refs;
    struct chunk_ring *ring;
    struct chunk *next;
};

// max_chunks: at least CHUNKS_AHEAD; their memory is taken when it is needed.
struct chunk_ring *chunk_ring_new(unsigned max_chunks);
void chunk_ring_free(struct chunk_ring *r); // when no thread uses it any more; NULL is fine

// Producers. Lanes are opened by one thread at a time. False after chunk_ring_stop(). Waits while
// too many are open.
bool chunk_lane_open(struct chunk_ring *r, uint64_t *ret_lane);

// A chunk to fill, or NULL after chunk_ring_stop(). Waits until the lane may have one.
struct chunk *chunk_ring_take(struct chunk_ring *r, uint64_t lane);
void chunk_ring_put(struct chunk_ring *r, uint64_t lane,
                    struct chunk *c); // c->len bytes are filled

// The lane has all its chunks. err not NULL: because of this; the consumer learns it after them,
// and sees no lane behind.
void chunk_lane_end(struct chunk_ring *r, uint64_t lane, const struct err *err);
void chunk_ring_end(struct chunk_ring *r); // no more lanes will be opened

// Consumer. The next chunk, with a reference for the caller; NULL after the last.
struct chunk *chunk_ring_next(struct chunk_ring *r);
bool chunk_ring_would_wait(struct chunk_ring *r);
void chunk_ring_stop(struct chunk_ring *r); // no more is wanted

// After NULL: 0 at the end, -errno where a lane failed.
int chunk_ring_failure(struct chunk_ring *r, struct err *err);

void chunk_ref(struct chunk *c);
void chunk_unref(struct chunk *c); // NULL is fine; from any thread

#endif
