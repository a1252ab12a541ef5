// SPDX-License-Identifier: Apache-2.0
// LZMA2, the compression inside nearly every .xz file: chunks of LZMA or of plain bytes, each with
// its sizes.
//
// Faster than the decoders of liblzma before 5.6, which is what most machines have, by what is
// known of the caller: a chunk's input is there as a whole, so that nothing in the decoder has to
// be able to stop for want of a byte. Accepts what liblzma accepts, bit for bit (tests/fuzz/lzma2.c
// holds them against each other).
#ifndef BRYO_IMAGE_LZMA2_H
#define BRYO_IMAGE_LZMA2_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lzma2;

// The input that must be there at a time, unless less is left, and how much beyond its end must be
// readable memory (of any content).
#define LZMA2_IN_MAX   (6U + (64U << 10))
#define LZMA2_IN_SLACK 32U

enum lzma2_result {
    LZMA2_FULL,  // out is full
    LZMA2_END,   // the end marker was read
    LZMA2_INPUT, // more input is needed than is there
    LZMA2_WRONG, // it is no LZMA2
};

struct lzma2 *lzma2_new(void);    // NULL: no memory
void lzma2_free(struct lzma2 *d); // NULL is fine

// What comes is the beginning of another sequence of chunks. dict: the bytes of the dictionary, as
// the filter's properties say, or as many as there will be at most. False: no memory for them,
// which are kept for the next.
bool lzma2_begin(struct lzma2 *d, uint32_t dict);

// Decodes from *in, up to in_end, to *out, up to out_end; moves both on.
enum lzma2_result lzma2_decode(struct lzma2 *d, const uint8_t **in, const uint8_t *in_end,
                               uint8_t **out, uint8_t *out_end);

#endif
