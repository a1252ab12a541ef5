// SPDX-License-Identifier: Apache-2.0
// bryo's LZMA2 decoder gives what was compressed, and takes exactly what liblzma's takes: with
// every set of properties, dictionaries that are smaller than the data, output in any steps; cut
// off anywhere, with any bit flipped, and with chunks that no encoder writes.
#include "internal/base/buf.h"
#include "internal/base/cleanup.h"
#include "internal/image/lzma2.h"
#include "tests/unit/tap.h"

#include <lzma.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define ROOM ((size_t)1 << 20)

struct outcome {
    bool end; // it came to its end
    size_t n; // bytes before that
    uint8_t *bytes;
};

// Behind the input and its slack is memory that may not be read.
static uint8_t *guarded(const uint8_t *in, size_t n, size_t *size, uint8_t **map)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t whole = (n + LZMA2_IN_SLACK + page - 1) / page * page;
    *size = whole + page;
    *map = mmap(NULL, *size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (*map == MAP_FAILED || mprotect(*map + whole, page, PROT_NONE) != 0)
        abort();
    memset(*map, 0xA5, whole);
    return memcpy(*map + whole - LZMA2_IN_SLACK - n, in, n);
}

static void by_bryo(const uint8_t *in, size_t n, uint32_t dict, size_t step, struct outcome *ret)
{
    uint8_t *map;
    size_t size;
    const uint8_t *copy = guarded(in, n, &size, &map);
    struct lzma2 *d = lzma2_new();
    if (!d || !lzma2_begin(d, dict))
        abort();
    const uint8_t *at = copy;
    uint8_t *to = ret->bytes;
    uint8_t *end = to + ROOM;
    enum lzma2_result r = LZMA2_FULL;
    while (r == LZMA2_FULL && to < end)
        r = lzma2_decode(d, &at, copy + n, &to, step < (size_t)(end - to) ? to + step : end);
    ret->end = r == LZMA2_END;
    ret->n = (size_t)(to - ret->bytes);
    lzma2_free(d);
    (void)munmap(map, size);
}

static void by_liblzma(const uint8_t *in, size_t n, uint32_t dict, struct outcome *ret)
{
    lzma_options_lzma options = {.dict_size = dict};
    const lzma_filter filters[] = {{LZMA_FILTER_LZMA2, &options}, {LZMA_VLI_UNKNOWN, NULL}};
    lzma_stream strm = LZMA_STREAM_INIT;
    if (lzma_raw_decoder(&strm, filters) != LZMA_OK)
        abort();
    strm.next_in = in;
    strm.avail_in = n;
    strm.next_out = ret->bytes;
    strm.avail_out = ROOM;
    lzma_ret r;
    while ((r = lzma_code(&strm, LZMA_RUN)) == LZMA_OK && strm.avail_out > 0)
        ;
    ret->end = r == LZMA_STREAM_END;
    ret->n = ROOM - strm.avail_out;
    lzma_end(&strm);
}

struct pair {
    struct outcome ours;
    struct outcome theirs;
};

static bool agree(struct pair *p, const uint8_t *in, size_t n, uint32_t dict, size_t step)
{
    by_bryo(in, n, dict, step, &p->ours);
    by_liblzma(in, n, dict, &p->theirs);
    size_t both = p->ours.n < p->theirs.n ? p->ours.n : p->theirs.n;
    return p->ours.end == p->theirs.end && memcmp(p->ours.bytes, p->theirs.bytes, both) == 0 &&
           (!p->ours.end || p->ours.n == p->theirs.n);
}

static size_t pack(const uint8_t *plain, size_t n, const lzma_options_lzma *options, uint8_t *to,
                   size_t room)
{
    lzma_options_lzma o = *options;
    const lzma_filter filters[] = {{LZMA_FILTER_LZMA2, &o}, {LZMA_VLI_UNKNOWN, NULL}};
    size_t at = 0;
    if (lzma_raw_buffer_encode(filters, NULL, plain, n, to, &at, room) != LZMA_OK)
        abort();
    return at;
}

static lzma_options_lzma options_of(uint32_t dict, uint32_t lc, uint32_t lp, uint32_t pb)
{
    lzma_options_lzma o;
    if (lzma_lzma_preset(&o, 4))
        abort();
    o.dict_size = dict;
    o.lc = lc;
    o.lp = lp;
    o.pb = pb;
    return o;
}

// Repeats near and far, runs of one byte, text that changes a little, and noise that is stored
// plain.
static void fill(uint8_t *plain, size_t n)
{
    uint32_t x = 1;
    for (size_t i = 0; i < n; i++) {
        x = x * 1664525 + 1013904223;
        size_t part = i / 3000 % 5;
        if (part == 0)
            plain[i] = (uint8_t)(x >> 24);
        else if (part == 1)
            plain[i] = (uint8_t)(i / 500);
        else if (part == 2 && i > 2000)
            plain[i] = plain[i - 1 - i / 3000 * 37 % 2000];
        else
            plain[i] = (uint8_t)(x >> 30 ? i * i >> 9 : x >> 24);
    }
}

static void make_noise(uint8_t *bytes, size_t n)
{
    uint32_t x = 1;
    for (size_t i = 0; i < n; i++) {
        x = x * 1664525 + 1013904223;
        bytes[i] = (uint8_t)(x >> 24);
    }
}

static void test_properties(struct pair *p, const uint8_t *plain, uint8_t *packed)
{
    const size_t n = 30000;
    for (uint32_t lc = 0; lc <= 4; lc++)
        for (uint32_t lp = 0; lc + lp <= 4; lp++)
            for (uint32_t pb = 0; pb <= 4; pb++) {
                lzma_options_lzma o = options_of(1U << 16, lc, lp, pb);
                size_t size = pack(plain, n, &o, packed, ROOM);
                ok(agree(p, packed, size, o.dict_size, 4096) && p->ours.end && p->ours.n == n &&
                       memcmp(p->ours.bytes, plain, n) == 0,
                   "lc %u, lp %u, pb %u", lc, lp, pb);
            }
}

static void test_windows(struct pair *p, const uint8_t *plain, uint8_t *packed)
{
    static const size_t steps[] = {1, 13, 273, 4096, 100000, ROOM};
    const size_t n = 400000;
    for (uint32_t dict = 4096; dict <= 1U << 20; dict *= 4) {
        lzma_options_lzma o = options_of(dict, 3, 0, 2);
        size_t size = pack(plain, n, &o, packed, ROOM);
        for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++)
            ok(agree(p, packed, size, dict, steps[i]) && p->ours.end && p->ours.n == n &&
                   memcmp(p->ours.bytes, plain, n) == 0,
               "a dictionary of %u bytes, output by %zu", dict, steps[i]);
    }
}

// What refers further back than the dictionary reaches, or than there is anything, is wrong.
static void test_distances(struct pair *p, const uint8_t *noise, uint8_t *packed)
{
    static const struct {
        size_t back;
        size_t again; // so much, that the encoder thinks it worth a match
        bool end;
    } cases[] = {{4000, 200, true},
                 {4096, 200, true},
                 {4097, 200, false},
                 {4300, 200, false},
                 {60000, 3000, false}};
    AUTO_FREE uint8_t *plain = mem_alloc(ROOM);
    lzma_options_lzma o = options_of(1U << 20, 3, 0, 2);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        size_t back = cases[i].back;
        memcpy(plain, noise, back);
        memcpy(plain + back, noise, cases[i].again);
        size_t size = pack(plain, back + cases[i].again, &o, packed, ROOM);
        ok(agree(p, packed, size, 4096, 4096) && p->ours.end == cases[i].end,
           "a distance of %zu, where the dictionary has 4096 bytes", back);
    }
    // As if the noise had come before; the control byte says that nothing did.
    o.preset_dict = noise;
    o.preset_dict_size = 1000;
    size_t size = pack(noise + 500, 400, &o, packed, ROOM);
    packed[0] |= 0xE0;
    ok(agree(p, packed, size, 4096, 4096) && !p->ours.end, "a distance to before the beginning");
}

// A chunk says that it is of 2 MiB, and has five bytes.
static void test_input(struct pair *p)
{
    static const uint8_t chunk[] = {0xFF, 0xFF, 0xFF, 0, 4, 0x5D, 0, 0x12, 0x34, 0x56, 0x78};
    by_bryo(chunk, sizeof(chunk), 4096, ROOM, &p->ours);
    ok(!p->ours.end && p->ours.n < 4096, "nothing is read beyond the input");
}

static void test_damage(struct pair *p, const uint8_t *plain, uint8_t *packed)
{
    const lzma_options_lzma o = options_of(4096, 3, 0, 2);
    size_t n = pack(plain + 2800, 2500, &o, packed, ROOM);
    unsigned same = 0;
    unsigned ends = 0;
    for (size_t cut = 0; cut < n; cut++, ends += p->ours.end)
        same += agree(p, packed, cut, 4096, 1000);
    ok(same == n && ends == 0, "cut off after each of %zu bytes: the same verdict, and it is no",
       n);
    same = 0;
    ends = 0;
    for (size_t bit = 0; bit < n * 8; bit++, ends += p->ours.end) {
        packed[bit / 8] ^= (uint8_t)(1U << bit % 8);
        same += agree(p, packed, n, 4096, 1000);
        packed[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
    is_int(same, (int)n * 8, "each bit flipped: the same verdict, and the same bytes before it");
    ok(ends > 0 && ends < n * 8, "some of which is data all the same (%u)", ends);
}

// The chunks of LZMA below have 0 as their code, which means literals of 0.
static void test_chunks(struct pair *p)
{
    static const struct {
        const char *what;
        size_t n;
        uint8_t bytes[28];
        bool end;
    } cases[] = {
        {"nothing but the end", 1, {0}, true},
        {"plain bytes after a reset", 5, {1, 0, 0, 'x', 0}, true},
        {"more of them without one", 9, {1, 0, 0, 'x', 2, 0, 0, 'y', 0}, true},
        {"plain bytes without a reset", 5, {2, 0, 0, 'x', 0}, false},
        {"a control byte that means nothing", 5, {3, 0, 0, 'x', 0}, false},
        {"one that does, but not first", 9, {1, 0, 0, 'x', 0x7F, 0, 0, 'y', 0}, false},
        {"LZMA", 13, {0xE0, 0, 0, 0, 5, 0x5D, 0, 0, 0, 0, 0, 0, 0}, true},
        {"LZMA without a reset of the dictionary",
         13,
         {0xC0, 0, 0, 0, 5, 0x5D, 0, 0, 0, 0, 0, 0, 0},
         false},
        {"LZMA without properties",
         16,
         {1, 0, 0, 'x', 0x80, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0},
         false},
        {"LZMA whose properties were before a reset",
         28,
         {0xE0, 0,   0,    0, 5, 0x5D, 0, 0, 0, 0, 0, 0, 1, 0,
          0,    'x', 0xA0, 0, 0, 0,    5, 0, 0, 0, 0, 0, 0, 0},
         false},
        {"LZMA that goes on",
         24,
         {0xE0, 0, 0, 0, 5, 0x5D, 0, 0, 0, 0, 0, 0, 0x80, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0},
         true},
        {"properties with lc + lp = 5", 13, {0xE0, 0, 0, 0, 5, 13, 0, 0, 0, 0, 0, 0, 0}, false},
        {"properties with pb = 5", 13, {0xE0, 0, 0, 0, 5, 225, 0, 0, 0, 0, 0, 0, 0}, false},
        {"LZMA of four bytes", 11, {0xE0, 0, 0, 0, 3, 0x5D, 0, 0, 0, 0, 0}, false},
        {"LZMA that does not begin with 0",
         13,
         {0xE0, 0, 0, 0, 5, 0x5D, 1, 0, 0, 0, 0, 0, 0},
         false},
        {"LZMA with a byte too many", 14, {0xE0, 0, 0, 0, 6, 0x5D, 0, 0, 0, 0, 0, 0, 0, 0}, false},
        {"LZMA with a byte too few", 12, {0xE0, 0, 0, 0, 4, 0x5D, 0, 0, 0, 0, 0, 0}, false},
        {"LZMA whose code is not used up",
         13,
         {0xE0, 0, 0, 0, 5, 0x5D, 0, 0, 0, 0, 0, 1, 0},
         false},
        {"a match before there is anything",
         12,
         {0xE0, 0, 0, 0, 4, 0x5D, 0, 0xFF, 0xFF, 0xFF, 0xFE, 0},
         false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        bool same = agree(p, cases[i].bytes, cases[i].n, 4096, 100);
        ok(same && p->ours.end == cases[i].end, "%s is %s", cases[i].what,
           cases[i].end ? "taken" : "wrong");
    }
}

int main(void)
{
    AUTO_FREE uint8_t *plain = mem_alloc(ROOM);
    AUTO_FREE uint8_t *noise = mem_alloc(ROOM);
    AUTO_FREE uint8_t *packed = mem_alloc(ROOM);
    AUTO_FREE uint8_t *a = mem_alloc(ROOM);
    AUTO_FREE uint8_t *b = mem_alloc(ROOM);
    struct pair p = {{.bytes = a}, {.bytes = b}};
    fill(plain, ROOM);
    make_noise(noise, ROOM);
    test_properties(&p, plain, packed);
    test_windows(&p, plain, packed);
    test_distances(&p, noise, packed);
    test_input(&p);
    test_damage(&p, plain, packed);
    test_chunks(&p);
    return done_testing();
}
