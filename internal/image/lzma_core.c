// SPDX-License-Identifier: Apache-2.0
// Follows the LZMA specification (Igor Pavlov, lzma-specification.txt).
#include "internal/image/lzma_core.h"

#include <string.h>

_Static_assert(SIZE_MAX > UINT32_MAX, "a distance is one more than what 32 bits hold");

static void set(lzma_prob *probs, size_t bytes)
{
    for (size_t i = 0; i < bytes / sizeof(*probs); i++)
        probs[i] = LZMA_PROB_ONE / 2;
}

void lzma_core_reset_state(struct lzma_core *c)
{
    set((lzma_prob *)&c->probs, sizeof(c->probs));
    c->state = 0;
    memset(c->rep, 0, sizeof(c->rep));
}

void lzma_core_reset(struct lzma_core *c, unsigned lc, unsigned lp, unsigned pb)
{
    lzma_core_reset_state(c);
    c->lc = lc;
    c->literal_mask = (1U << lp) - 1;
    c->pos_mask = (1U << pb) - 1;
}

// --- what a symbol is made of -----------------------------------------------------------------

INLINE uint8_t literal(struct lzma_range *rc, lzma_prob *probs)
{
    return (uint8_t)lzma_tree(rc, probs, 8);
}

// A literal behind a match is not the byte that the match would have gone on with, which has a
// tree of its own until the first bit that differs.
INLINE uint8_t literal_unlike(struct lzma_range *rc, lzma_prob *probs, uint32_t other)
{
    uint32_t symbol = 1;
    uint32_t tree = 0x100;
    other <<= 1;
    uint32_t bit = other & tree;
    uint32_t at = tree + bit + symbol;
    uint32_t p = probs[at];
    for (unsigned i = 1; i < 8; i++) {
        other <<= 1;
        // Where the next bit's probability is, after a 0 and after a 1.
        uint32_t tree0 = tree & ~bit;
        uint32_t tree1 = tree & bit;
        uint32_t at0 = tree0 + (other & tree0) + symbol * 2;
        uint32_t at1 = tree1 + (other & tree1) + symbol * 2 + 1;
        p = lzma_tree_bit(rc, &probs[at], p, &symbol, probs[at0], probs[at1]);
        uint32_t one = -(symbol & 1);
        tree = tree0 ^ ((tree0 ^ tree1) & one);
        at = at0 ^ ((at0 ^ at1) & one);
        bit = other & tree;
    }
    (void)lzma_tree_bit(rc, &probs[at], p, &symbol, 0, 0);
    return (uint8_t)symbol;
}

INLINE uint32_t length(struct lzma_range *rc, struct lzma_len *l, unsigned pos_state)
{
    if (!lzma_bit(rc, &l->choice))
        return lzma_tree(rc, l->low[pos_state], 3) - 8 + 2;
    if (!lzma_bit(rc, &l->choice2))
        return lzma_tree(rc, l->mid[pos_state], 3) - 8 + 10;
    return lzma_tree(rc, l->high, 8) - 256 + 18;
}

INLINE uint32_t distance(struct lzma_range *rc, struct lzma_probs *p, uint32_t len)
{
    lzma_prob *slots = p->slot[len - 2 < LZMA_LEN_STATES ? len - 2 : LZMA_LEN_STATES - 1];
    uint32_t slot = lzma_tree(rc, slots, 6) - 64;
    if (slot < 4)
        return slot;
    unsigned n = (slot >> 1) - 1;
    uint32_t value = 2 | (slot & 1);
    uint32_t symbol = 1;
    if (slot < LZMA_FULL_SLOTS) {
        value <<= n;
        lzma_prob *probs = p->special + value - slot;
        uint32_t low = 0;
        for (unsigned i = 0; i < n; i++)
            lzma_reverse_bit(rc, probs, &symbol, &low, i);
        return value + low;
    }
    value = lzma_direct_bits(rc, n - LZMA_ALIGN_BITS, value) << LZMA_ALIGN_BITS;
    uint32_t low = 0;
    for (unsigned i = 0; i < LZMA_ALIGN_BITS; i++)
        lzma_reverse_bit(rc, p->align, &symbol, &low, i);
    return value + low;
}

// --- the window -------------------------------------------------------------------------------

// Room for 16 bytes more than len at both.
INLINE void copy(uint8_t *to, const uint8_t *from, size_t back, size_t len)
{
    if (back >= 16) {
        const uint8_t *end = to + len;
        do {
            memcpy(to, from, 16);
            to += 16;
            from += 16;
        } while (to < end);
    } else if (back == 1) {
        memset(to, *from, len);
    } else {
        for (size_t i = 0; i < len; i++)
            to[i] = from[i];
    }
}

// A match that begins before the ring's end and may go on at its beginning.
static bool copy_round(const struct lzma_window *w, size_t at, size_t back, size_t len)
{
    if (!w->round || back > w->dict)
        return false;
    size_t from = at + w->size - back;
    for (size_t i = 0; i < len; i++) {
        w->bytes[at + i] = w->bytes[from];
        from = from + 1 == w->size ? 0 : from + 1;
    }
    return true;
}

// As much of a match as there is room for before limit; *len is what is left of it.
INLINE bool copy_match(const struct lzma_window *w, size_t *at, size_t limit, size_t back,
                       size_t *len)
{
    size_t now = *len < limit - *at ? *len : limit - *at;
    if (__builtin_expect(back > *at, 0)) {
        if (!copy_round(w, *at, back, now))
            return false;
    } else if (__builtin_expect(back > w->dict, 0)) {
        return false;
    } else {
        copy(w->bytes + *at, w->bytes + *at - back, back, now);
    }
    *at += now;
    *len -= now;
    return true;
}

INLINE uint8_t byte_back(const struct lzma_window *w, size_t at, size_t back)
{
    return w->bytes[at >= back ? at - back : at + w->size - back];
}

// --- symbols ----------------------------------------------------------------------------------

// The length of a match or a repeat; rep[0] is its distance, less one. 1 is a short repeat.
INLINE uint32_t match(struct lzma_range *rc, struct lzma_probs *p, uint32_t *rep, unsigned *state,
                      unsigned pos_state)
{
    unsigned s = *state;
    bool from_literal = s < 7;
    if (!lzma_bit(rc, &p->rep[s])) {
        *state = from_literal ? 7 : 10;
        rep[3] = rep[2];
        rep[2] = rep[1];
        rep[1] = rep[0];
        uint32_t len = length(rc, &p->match_len, pos_state);
        rep[0] = distance(rc, p, len);
        return len;
    }
    if (!lzma_bit(rc, &p->rep0[s])) {
        if (!lzma_bit(rc, &p->rep0_long[s][pos_state])) {
            *state = from_literal ? 9 : 11;
            return 1;
        }
    } else {
        uint32_t dist;
        if (!lzma_bit(rc, &p->rep1[s])) {
            dist = rep[1];
        } else {
            if (!lzma_bit(rc, &p->rep2[s])) {
                dist = rep[2];
            } else {
                dist = rep[3];
                rep[3] = rep[2];
            }
            rep[2] = rep[1];
        }
        rep[1] = rep[0];
        rep[0] = dist;
    }
    *state = from_literal ? 8 : 11;
    return length(rc, &p->rep_len, pos_state);
}

bool lzma_core_decode(struct lzma_core *c, size_t n)
{
    struct lzma_range rc = c->rc; // copies, which the compiler may keep in registers
    const struct lzma_window w = c->window;
    uint32_t rep[4] = {c->rep[0], c->rep[1], c->rep[2], c->rep[3]};
    unsigned state = c->state;
    size_t at = w.at;
    const size_t limit = at + n;
    const size_t before = c->position - at; // the window's place 0, since the reset
    size_t len = c->left;
    bool good = len == 0 || copy_match(&w, &at, limit, (size_t)rep[0] + 1, &len);
    unsigned last = at > 0 || w.round ? byte_back(&w, at, 1) : 0;
    while (good && at < limit && rc.in <= c->in_end) {
        unsigned pos = (unsigned)(before + at);
        unsigned pos_state = pos & c->pos_mask;
        if (lzma_bit(&rc, &c->probs.match[state][pos_state])) {
            len = match(&rc, &c->probs, rep, &state, pos_state);
            good = copy_match(&w, &at, limit, (size_t)rep[0] + 1, &len);
            if (good)
                last = w.bytes[at - 1];
            continue;
        }
        lzma_prob *probs =
            c->probs.literal[((pos & c->literal_mask) << c->lc) + (last >> (8 - c->lc))];
        if (state < 7) {
            last = literal(&rc, probs);
            state = state < 4 ? 0 : state - 3;
        } else {
            last = literal_unlike(&rc, probs, byte_back(&w, at, (size_t)rep[0] + 1));
            state = state < 10 ? state - 3 : state - 6;
        }
        w.bytes[at++] = (uint8_t)last;
    }
    c->rc = rc;
    memcpy(c->rep, rep, sizeof(rep));
    c->state = state;
    c->left = (uint32_t)len;
    c->position = before + at;
    c->window.at = at;
    return good && at == limit;
}
