// SPDX-License-Identifier: Apache-2.0
// LZMA: what the bits of the range decoder mean (literals, matches, repeats), and the window of
// what was decoded, into which they refer.
#ifndef BRYO_IMAGE_LZMA_CORE_H
#define BRYO_IMAGE_LZMA_CORE_H

#include "internal/image/lzma_range.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// The most that one symbol may read.
#define LZMA_IN_SLACK 32U

#define LZMA_MATCH_MAX 273U
// Beyond the dictionary: copying a match may write this much ahead of what it decodes, and must not
// overwrite what a distance may still refer to.
#define LZMA_WINDOW_SLACK  (LZMA_MATCH_MAX + 239U)
#define LZMA_WINDOW_BEYOND 16U // may be written behind the ring

#define LZMA_STATES     12U
#define LZMA_POS_STATES 16U // pb is 4 at most
#define LZMA_LITERALS   16U // lc + lp is 4 at most in LZMA2
#define LZMA_LITERAL    0x300U
#define LZMA_LEN_STATES 4U
#define LZMA_FULL_SLOTS 14U
#define LZMA_ALIGN_BITS 4U

struct lzma_window {
    uint8_t *bytes;
    size_t size; // of the ring: dictionary + LZMA_WINDOW_SLACK
    size_t dict; // the furthest that a distance reaches
    size_t at;   // what is decoded next
    bool round;  // it was full once since the last reset
};

struct lzma_len {
    lzma_prob choice;
    lzma_prob choice2;
    lzma_prob low[LZMA_POS_STATES][8];
    lzma_prob mid[LZMA_POS_STATES][8];
    lzma_prob high[256];
};

struct lzma_probs {
    lzma_prob match[LZMA_STATES][LZMA_POS_STATES];
    lzma_prob rep0_long[LZMA_STATES][LZMA_POS_STATES];
    lzma_prob rep[LZMA_STATES];
    lzma_prob rep0[LZMA_STATES];
    lzma_prob rep1[LZMA_STATES];
    lzma_prob rep2[LZMA_STATES];
    lzma_prob slot[LZMA_LEN_STATES][64];
    lzma_prob special[128];
    lzma_prob align[1U << LZMA_ALIGN_BITS];
    struct lzma_len match_len;
    struct lzma_len rep_len;
    lzma_prob literal[LZMA_LITERALS][LZMA_LITERAL];
};

struct lzma_core {
    struct lzma_range rc;
    const uint8_t *in_end;
    struct lzma_window window;
    unsigned state;
    uint32_t rep[4]; // distances, less one
    uint32_t left;   // of a match that did not fit before the limit
    unsigned lc;
    unsigned literal_mask; // of the position
    unsigned pos_mask;
    size_t position; // bytes decoded since the dictionary's reset
    struct lzma_probs probs;
};

// The state, with the properties as they are, and with others.
void lzma_core_reset_state(struct lzma_core *c);
void lzma_core_reset(struct lzma_core *c, unsigned lc, unsigned lp, unsigned pb);

// Decodes until n more bytes are in the window, which must have room for them up to its end. False:
// it is no LZMA, or its input ended before. What the last symbol read may be beyond in_end.
bool lzma_core_decode(struct lzma_core *c, size_t n);

#endif
