// SPDX-License-Identifier: Apache-2.0
// The threads that decode the blocks of an .xz file.
#ifndef BRYO_IMAGE_DECODE_XZ_H
#define BRYO_IMAGE_DECODE_XZ_H

#include "internal/image/decode.h"

struct decode_xz;

// How many chunks the ring may have: each thread but one may be a block of xz's default size ahead.
unsigned decode_xz_chunks(unsigned threads);

int decode_xz_start(const struct decode_opts *opts, uint64_t size, struct chunk_ring *ring,
                    struct decode_xz **ret, struct err *err);
void decode_xz_stop(struct decode_xz *x); // after chunk_ring_stop(); NULL is fine
void decode_xz_free(struct decode_xz *x);

#endif
