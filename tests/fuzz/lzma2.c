// SPDX-License-Identifier: Apache-2.0
// LZMA2 by bryo's decoder and by liblzma's: both take it and give the same bytes, or neither does,
// and what they gave before they noticed is the same. The first byte says how large the dictionary
// is, and the second in which steps is decoded; small ones send the window round often.
#include "internal/image/lzma2.h"

#include <lzma.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define OUT_MAX (64U << 10)

static void require(bool holds)
{
    if (!holds)
        abort();
}

// How many bytes it gave; *end: it came to its end.
static size_t by_bryo(const uint8_t *data, size_t size, uint32_t dict, size_t step, uint8_t *out,
                      bool *end)
{
    // Of exactly the size that the contract asks, so that a byte more is an error.
    uint8_t *in = malloc(size + LZMA2_IN_SLACK);
    struct lzma2 *d = lzma2_new();
    require(in && d && lzma2_begin(d, dict));
    memcpy(in, data, size);
    memset(in + size, 0xA5, LZMA2_IN_SLACK);
    const uint8_t *at = in;
    uint8_t *to = out;
    enum lzma2_result r = LZMA2_FULL;
    while (r == LZMA2_FULL && to < out + OUT_MAX) {
        size_t room = (size_t)(out + OUT_MAX - to);
        r = lzma2_decode(d, &at, in + size, &to, to + (step < room ? step : room));
        require(at >= in && at <= in + size);
    }
    *end = r == LZMA2_END;
    lzma2_free(d);
    free(in);
    return (size_t)(to - out);
}

static size_t by_liblzma(const uint8_t *data, size_t size, uint32_t dict, uint8_t *out, bool *end)
{
    lzma_options_lzma options = {.dict_size = dict};
    const lzma_filter filters[] = {{LZMA_FILTER_LZMA2, &options}, {LZMA_VLI_UNKNOWN, NULL}};
    lzma_stream strm = LZMA_STREAM_INIT;
    require(lzma_raw_decoder(&strm, filters) == LZMA_OK);
    strm.next_in = data;
    strm.avail_in = size;
    strm.next_out = out;
    strm.avail_out = OUT_MAX;
    lzma_ret r;
    while ((r = lzma_code(&strm, LZMA_RUN)) == LZMA_OK && strm.avail_out > 0)
        ;
    *end = r == LZMA_STREAM_END;
    size_t n = OUT_MAX - strm.avail_out;
    lzma_end(&strm);
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    uint32_t dict = 4096U << data[0] % 5;
    size_t step = data[1] % 2 ? OUT_MAX : 1U + data[1] * 16U;
    uint8_t *a = malloc(OUT_MAX);
    uint8_t *b = malloc(OUT_MAX);
    require(a && b);
    bool end_a = false;
    bool end_b = false;
    size_t na = by_bryo(data + 2, size - 2, dict, step, a, &end_a);
    size_t nb = by_liblzma(data + 2, size - 2, dict, b, &end_b);
    size_t both = na < nb ? na : nb;
    require(both == 0 || memcmp(a, b, both) == 0);
    // At the limit it is not known what would come.
    require(na == OUT_MAX || nb == OUT_MAX || (end_a == end_b && (!end_a || na == nb)));
    free(a);
    free(b);
    return 0;
}
