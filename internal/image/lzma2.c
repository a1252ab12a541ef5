// SPDX-License-Identifier: Apache-2.0
#include "internal/image/lzma2.h"

#include "internal/image/lzma_core.h"

#include <stdlib.h>
#include <string.h>

#define DICT_MIN 4096U

// The first byte of a chunk.
enum {
    CONTROL_END = 0,
    CONTROL_PLAIN_RESET = 1, // plain bytes, after a reset of the dictionary
    CONTROL_PLAIN = 2,
    CONTROL_LZMA = 0x80,       // from here on LZMA; the low five bits are of the size
    CONTROL_STATE = 0xA0,      // with a reset of the state
    CONTROL_PROPERTIES = 0xC0, // and new properties
    CONTROL_DICT = 0xE0,       // and a reset of the dictionary
};

struct lzma2 {
    bool need_dict;       // a reset of it must come first
    bool need_properties; // no LZMA before they came
    bool plain;
    uint32_t left; // of the chunk's decoded bytes
    size_t room;   // in the window's memory
    struct lzma_core core;
};

struct lzma2 *lzma2_new(void)
{
    return calloc(1, sizeof(struct lzma2));
}

void lzma2_free(struct lzma2 *d)
{
    if (!d)
        return;
    free(d->core.window.bytes);
    free(d);
}

bool lzma2_begin(struct lzma2 *d, uint32_t dict)
{
    struct lzma_window *w = &d->core.window;
    w->dict = dict < DICT_MIN ? DICT_MIN : dict;
    w->size = w->dict + LZMA_WINDOW_SLACK;
    if (w->size > d->room) {
        free(w->bytes);
        w->bytes = malloc(w->size + LZMA_WINDOW_BEYOND);
        d->room = w->bytes ? w->size : 0;
        if (!w->bytes)
            return false;
    }
    d->need_dict = true;
    d->need_properties = true;
    d->left = 0;
    return true;
}

static void reset_dict(struct lzma2 *d)
{
    d->core.window.at = 0;
    d->core.window.round = false;
    d->core.position = 0;
    d->need_dict = false;
}

// lc, lp and pb in one byte; LZMA2 allows less of them than LZMA does.
static bool set_properties(struct lzma2 *d, uint8_t b)
{
    unsigned lc = b % 9;
    unsigned lp = b / 9 % 5;
    unsigned pb = b / 45;
    if (pb > 4 || lc + lp > 4)
        return false;
    lzma_core_reset(&d->core, lc, lp, pb);
    d->need_properties = false;
    return true;
}

static bool begin_range(struct lzma_core *c, const uint8_t *in, size_t n)
{
    if (n < 5 || in[0] != 0)
        return false;
    c->rc.range = UINT32_MAX;
    c->rc.code = (uint32_t)in[1] << 24 | (uint32_t)in[2] << 16 | (uint32_t)in[3] << 8 | in[4];
    c->rc.in = in + 5;
    c->in_end = in + n;
    c->left = 0;
    return true;
}

// A chunk of plain bytes has three bytes of header, one of LZMA five, and a sixth for properties.
static size_t header_bytes(uint8_t control)
{
    return control < CONTROL_LZMA ? 3 : control < CONTROL_PROPERTIES ? 5 : 6;
}

static uint32_t big16(const uint8_t *at)
{
    return (uint32_t)at[0] << 8 | at[1];
}

// A chunk of LZMA whose input, n bytes, is there as a whole.
static bool begin_lzma(struct lzma2 *d, const uint8_t *header, size_t n)
{
    uint8_t control = header[0];
    d->plain = false;
    d->left = ((uint32_t)(control & 0x1F) << 16 | big16(header + 1)) + 1;
    if (control >= CONTROL_PROPERTIES) {
        if (!set_properties(d, header[5]))
            return false;
    } else if (d->need_properties) {
        return false;
    } else if (control >= CONTROL_STATE) {
        lzma_core_reset_state(&d->core);
    }
    return begin_range(&d->core, header + header_bytes(control), n);
}

// LZMA2_FULL: the chunk has begun.
static enum lzma2_result begin_chunk(struct lzma2 *d, const uint8_t **in, const uint8_t *in_end)
{
    const uint8_t *h = *in;
    size_t there = (size_t)(in_end - h);
    if (there < 1)
        return LZMA2_INPUT;
    uint8_t control = *h;
    if (control == CONTROL_END) {
        ++*in;
        return LZMA2_END;
    }
    bool lzma = control >= CONTROL_LZMA;
    bool reset = control == CONTROL_PLAIN_RESET || control >= CONTROL_DICT;
    if ((!lzma && control > CONTROL_PLAIN) || (d->need_dict && !reset))
        return LZMA2_WRONG;
    size_t header = header_bytes(control);
    if (there < header)
        return LZMA2_INPUT;
    size_t n = lzma ? big16(h + 3) + 1 : 0;
    if (there - header < n)
        return LZMA2_INPUT;
    if (reset) {
        reset_dict(d);
        d->need_properties = true;
    }
    if (lzma && !begin_lzma(d, h, n))
        return LZMA2_WRONG;
    if (!lzma) {
        d->plain = true;
        d->left = big16(h + 1) + 1;
    }
    *in = h + header;
    return LZMA2_FULL;
}

// What the range decoder has not read of a chunk must be nothing, and its code 0.
static bool end_lzma(struct lzma_core *c, const uint8_t **in)
{
    lzma_normalize(&c->rc);
    if (c->left != 0 || c->rc.in != c->in_end || c->rc.code != 0)
        return false;
    *in = c->in_end;
    return true;
}

enum lzma2_result lzma2_decode(struct lzma2 *d, const uint8_t **in, const uint8_t *in_end,
                               uint8_t **out, uint8_t *out_end)
{
    struct lzma_window *w = &d->core.window;
    while (*out < out_end) {
        if (d->left == 0) {
            enum lzma2_result r = begin_chunk(d, in, in_end);
            if (r != LZMA2_FULL)
                return r;
        }
        if (w->at == w->size) {
            w->at = 0;
            w->round = true;
        }
        size_t from = w->at;
        size_t n = (size_t)(out_end - *out);
        n = n < w->size - from ? n : w->size - from;
        n = n < d->left ? n : d->left;
        if (d->plain) {
            n = n < (size_t)(in_end - *in) ? n : (size_t)(in_end - *in);
            if (n == 0)
                return LZMA2_INPUT;
            memcpy(w->bytes + from, *in, n);
            *in += n;
            w->at += n;
            d->core.position += n;
        } else if (!lzma_core_decode(&d->core, n)) {
            return LZMA2_WRONG;
        }
        memcpy(*out, w->bytes + from, n);
        *out += n;
        d->left -= (uint32_t)n;
        if (d->left == 0 && !d->plain && !end_lzma(&d->core, in))
            return LZMA2_WRONG;
    }
    return LZMA2_FULL;
}
