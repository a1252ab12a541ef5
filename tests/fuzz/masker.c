// SPDX-License-Identifier: Apache-2.0
// Strings and a stream cut anywhere: what comes out is what masking the whole at once gives, and
// pauses let out no more than their rule says.
#include "internal/job/masker.h"
#include "internal/base/buf.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define WORDS 4

struct words {
    const uint8_t *at[WORDS];
    size_t len[WORDS];
};

static void require(int holds)
{
    if (!holds)
        abort();
}

static void mark_all(const struct words *w, const uint8_t *text, size_t n, bool *hit)
{
    for (int i = 0; i < WORDS; i++)
        for (size_t at = 0; w->len[i] && at + w->len[i] <= n; at++)
            if (memcmp(text + at, w->at[i], w->len[i]) == 0)
                memset(hit + at, 1, w->len[i]);
    // The end: the longest that begins a string, and is more than may show.
    for (size_t d = n; d > 0; d--) {
        size_t shortest = 0;
        for (int i = 0; i < WORDS; i++)
            if (w->len[i] >= d && memcmp(text + n - d, w->at[i], d) == 0 &&
                (!shortest || w->len[i] < shortest))
                shortest = w->len[i];
        if (shortest && (d > 8 || d > shortest / 2)) {
            memset(hit + n - d, 1, d);
            return;
        }
    }
}

static void mask_whole(const struct words *w, const uint8_t *text, size_t n, struct buf *out)
{
    bool *hit = mem_alloc(n + 1);
    mark_all(w, text, n, hit);
    for (size_t i = 0; i < n; i++) {
        if (!hit[i])
            buf_addc(out, (char)text[i]);
        else if (i == 0 || !hit[i - 1])
            buf_adds(out, "***");
    }
    free(hit);
}

static void feed(const struct masker *m, const uint8_t *text, size_t n, unsigned step, bool pauses,
                 struct buf *out)
{
    struct mask_stream s = {.m = m};
    while (n > 0) {
        size_t part = step % 7 + 1 < n ? step % 7 + 1 : n;
        step = step * 5 + 1;
        mask_feed(&s, text, part, out);
        if (pauses)
            mask_pause(&s, out);
        text += part;
        n -= part;
    }
    mask_end(&s, out);
    require(!mask_holds(&s));
    mask_stream_done(&s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct words w = {0};
    struct masker m = {0};
    if (size < WORDS + 1 || size > 4096)
        return 0;
    unsigned step = data[0];
    const uint8_t *p = data + 1 + WORDS;
    size_t left = size - 1 - WORDS;
    for (int i = 0; i < WORDS; i++) {
        w.len[i] = data[1 + i] % 24;
        if (w.len[i] > left)
            w.len[i] = left;
        w.at[i] = p;
        p += w.len[i];
        left -= w.len[i];
        masker_add(&m, w.at[i], w.len[i]);
    }
    masker_build(&m);
    AUTO_BUF struct buf whole = {0};
    AUTO_BUF struct buf pieces = {0};
    AUTO_BUF struct buf paused = {0};
    mask_whole(&w, p, left, &whole);
    feed(&m, p, left, step, false, &pieces);
    require(whole.len == pieces.len && (!whole.len || !memcmp(whole.data, pieces.data, whole.len)));
    // Each pause adds at most 8 bytes to what shows, and never a whole string of 9 or more.
    feed(&m, p, left, step, true, &paused);
    for (int i = 0; i < WORDS; i++)
        require(w.len[i] < 9 || memchr(w.at[i], '*', w.len[i]) || !paused.len ||
                !memmem(paused.data, paused.len, w.at[i], w.len[i]));
    masker_done(&m);
    return 0;
}
