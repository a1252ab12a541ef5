// SPDX-License-Identifier: Apache-2.0
// The range decoder of LZMA: bits from bytes, each with a probability that follows what was seen.
//
// A bit that a processor cannot guess costs it some twenty cycles when it guesses, and the bits of
// compressed data are what cannot be guessed: where both outcomes lead to the same next step (trees
// of bits) the step is computed without a branch. Compilers do not promise to do so: on x86-64 it
// is written out, elsewhere, and with LZMA_PORTABLE, it is arithmetic with masks.
#ifndef BRYO_IMAGE_LZMA_RANGE_H
#define BRYO_IMAGE_LZMA_RANGE_H

#include <stdint.h>

#define LZMA_PROB_BITS 11U
#define LZMA_PROB_ONE  (1U << LZMA_PROB_BITS)
#define LZMA_PROB_MOVE 5U

typedef uint16_t lzma_prob; // that the next bit is 0, in 2048ths; never 0 and never 2048

struct lzma_range {
    uint32_t range;
    uint32_t code;
    const uint8_t *in; // may be read up to LZMA_IN_SLACK beyond the end of the input
};

#define INLINE static inline __attribute__((always_inline))

INLINE void lzma_normalize(struct lzma_range *rc)
{
    if (__builtin_expect(rc->range < UINT32_C(1) << 24, 0)) {
        rc->range <<= 8;
        rc->code = rc->code << 8 | *rc->in++;
    }
}

// A bit on which the way forks.
INLINE unsigned lzma_bit(struct lzma_range *rc, lzma_prob *prob)
{
    lzma_normalize(rc);
    uint32_t p = *prob;
    uint32_t bound = (rc->range >> LZMA_PROB_BITS) * p;
    if (rc->code < bound) {
        rc->range = bound;
        *prob = (lzma_prob)(p + ((LZMA_PROB_ONE - p) >> LZMA_PROB_MOVE));
        return 0;
    }
    rc->range -= bound;
    rc->code -= bound;
    *prob = (lzma_prob)(p - (p >> LZMA_PROB_MOVE));
    return 1;
}

// A bit of a tree: *symbol becomes 2 * *symbol + bit. p: what *prob is. The answer is next[bit], so
// that the probability of the bit that follows is loaded before this one is known.
INLINE uint32_t lzma_tree_bit(struct lzma_range *rc, lzma_prob *prob, uint32_t p, uint32_t *symbol,
                              uint32_t next0, uint32_t next1)
{
    lzma_normalize(rc);
    uint32_t bound = (rc->range >> LZMA_PROB_BITS) * p;
    uint32_t node = *symbol * 2;
    // What p loses, times 32: for a 0 it is (p - 2048) rounded towards p, which makes it a gain.
    int32_t lost = (int32_t)p;
#if defined(__x86_64__) && !defined(LZMA_PORTABLE)
    int32_t gained = (int32_t)(p - LZMA_PROB_ONE + (1U << LZMA_PROB_MOVE) - 1);
    uint32_t range = rc->range - bound;
    uint32_t code = rc->code;
    __asm__("subl %[bound], %[code]\n\t"
            "cmovael %[next1], %[next0]\n\t"
            "cmovbl %[before], %[code]\n\t"
            "cmovbl %[bound], %[range]\n\t"
            "cmovbl %[gained], %[lost]\n\t"
            "sbbl $-1, %[node]"
            : [code] "+&r"(code), [range] "+&r"(range), [lost] "+&r"(lost), [node] "+&r"(node),
              [next0] "+&r"(next0)
            : [bound] "r"(bound), [before] "r"(rc->code), [gained] "r"(gained), [next1] "r"(next1)
            : "cc");
    rc->range = range;
    rc->code = code;
#else
    uint32_t zero = (uint32_t)0 - (uint32_t)(rc->code < bound); // all ones, if the bit is 0
    rc->range -= bound;
    rc->range ^= (rc->range ^ bound) & zero;
    rc->code -= bound & ~zero;
    lost += (int32_t)(zero & (uint32_t) - (int32_t)(LZMA_PROB_ONE - (1U << LZMA_PROB_MOVE) + 1));
    node += 1 + zero;
    next0 ^= (next0 ^ next1) & ~zero;
#endif
    *prob = (lzma_prob)((int32_t)p - (lost >> LZMA_PROB_MOVE));
    *symbol = node;
    return next0;
}

// n bits, highest first: the answer is 1 and they behind it. probs: of 1 << n.
INLINE uint32_t lzma_tree(struct lzma_range *rc, lzma_prob *probs, unsigned n)
{
    uint32_t symbol = 1;
    uint32_t p = probs[1];
    for (unsigned i = 1; i < n; i++)
        p = lzma_tree_bit(rc, &probs[symbol], p, &symbol, probs[symbol * 2], probs[symbol * 2 + 1]);
    (void)lzma_tree_bit(rc, &probs[symbol], p, &symbol, 0, 0);
    return symbol;
}

// The same for a tree whose bits come lowest first: *value gets the bit at place.
INLINE void lzma_reverse_bit(struct lzma_range *rc, lzma_prob *probs, uint32_t *symbol,
                             uint32_t *value, unsigned place)
{
    (void)lzma_tree_bit(rc, &probs[*symbol], probs[*symbol], symbol, 0, 0);
    *value += (*symbol & 1) << place;
}

// Bits that are as likely 0 as 1.
INLINE uint32_t lzma_direct_bits(struct lzma_range *rc, unsigned n, uint32_t value)
{
    do {
        lzma_normalize(rc);
        rc->range >>= 1;
        rc->code -= rc->range;
        uint32_t zero = (uint32_t)0 - (rc->code >> 31); // all ones, if the bit is 0
        rc->code += rc->range & zero;
        value = value * 2 + 1 + zero;
    } while (--n > 0);
    return value;
}

#endif
