// SPDX-License-Identifier: Apache-2.0
#include "internal/base/parse.h"
#include "tests/unit/tap.h"

#include <errno.h>

typedef int parse_fn(const char *s, uint64_t *ret);

struct row {
    const char *text;
    int result;
    uint64_t value;
};

static void check(const char *what, parse_fn *fn, const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint64_t value = 4711;
        int r = fn(rows[i].text, &value);
        uint64_t want = rows[i].result == 0 ? rows[i].value : 4711; // untouched on failure
        ok(r == rows[i].result && value == want, "%s \"%s\"", what, rows[i].text) ||
            (diag("got %d, %" PRIu64 "; expected %d, %" PRIu64, r, value, rows[i].result, want), 0);
    }
}

static int small(const char *s, uint64_t *ret)
{
    return parse_u64(s, 3, 300, ret);
}

static int largest(const char *s, uint64_t *ret)
{
    return parse_u64(s, 0, UINT64_MAX, ret);
}

static int u32(const char *s, uint64_t *ret)
{
    uint32_t v = 4711;
    int r = parse_u32(s, &v);
    *ret = v;
    return r;
}

static int octal(const char *s, uint64_t *ret)
{
    uint32_t v = 4711;
    int r = parse_octal(s, 07777, &v);
    *ret = v;
    return r;
}

static int octal_all(const char *s, uint64_t *ret)
{
    uint32_t v = 4711;
    int r = parse_octal(s, UINT32_MAX, &v);
    *ret = v;
    return r;
}

static const struct row small_rows[] = {
    {"3", 0, 3},         {"300", 0, 300},     {"2", -ERANGE, 0},   {"301", -ERANGE, 0},
    {"", -EINVAL, 0},    {"-5", -EINVAL, 0},  {"+5", -EINVAL, 0},  {" 5", -EINVAL, 0},
    {"5 ", -EINVAL, 0},  {"5x", -EINVAL, 0},  {"0x5", -EINVAL, 0}, {"007", 0, 7},
    {"5\t", -EINVAL, 0}, {"5.0", -EINVAL, 0},
};
static const struct row largest_rows[] = {
    {"0", 0, 0},
    {"18446744073709551615", 0, UINT64_MAX},
    {"18446744073709551616", -ERANGE, 0},
    {"99999999999999999999999", -ERANGE, 0},
};
static const struct row u32_rows[] = {
    {"4294967295", 0, UINT32_MAX},
    {"4294967296", -ERANGE, 0},
    {"1e3", -EINVAL, 0},
};
static const struct row octal_rows[] = {
    {"0", 0, 0},       {"022", 0, 022},  {"7777", 0, 07777}, {"10000", -ERANGE, 0},
    {"8", -EINVAL, 0}, {"", -EINVAL, 0}, {"-1", -EINVAL, 0}, {"0o22", -EINVAL, 0},
};
static const struct row octal_all_rows[] = {
    {"37777777777", 0, UINT32_MAX},
    {"40000000000", -ERANGE, 0},
};
static const struct row size_rows[] = {
    {"0", 0, 0},
    {"17", 0, 17},
    {"17b", 0, 17},
    {"1k", 0, 1024},
    {"1K", 0, 1024},
    {"1kb", 0, 1024},
    {"1KiB", 0, 1024},
    {"64m", 0, 64 << 20},
    {"2g", 0, (uint64_t)2 << 30},
    {"1t", 0, (uint64_t)1 << 40},
    {"1.5g", 0, (uint64_t)3 << 29},
    {"0.25k", 0, 256},
    {"0.1k", 0, 102},
    {"1.25m", 0, 1310720},
    {"0.00000000000000000000000001t", 0, 0},
    {"16777215t", 0, (uint64_t)16777215 << 40},
    {"16777216t", -ERANGE, 0},
    {"16777215.99999999999999999999t", 0, UINT64_MAX},
    {"1.", -EINVAL, 0},
    {".5k", -EINVAL, 0},
    {"1.2.3k", -EINVAL, 0},
    {"k", -EINVAL, 0},
    {"", -EINVAL, 0},
    {"-1k", -EINVAL, 0},
    {"1 k", -EINVAL, 0},
    {"1x", -EINVAL, 0},
    {"1bb", -EINVAL, 0},
    {"1bib", -EINVAL, 0},
    {"1kib2", -EINVAL, 0},
    {"1e3", -EINVAL, 0},
};
static const struct row duration_rows[] = {
    {"0", 0, 0},
    {"90", 0, 90000000},
    {"90s", 0, 90000000},
    {"1.5", 0, 1500000},
    {"0.25s", 0, 250000},
    {"5us", 0, 5},
    {"5ms", 0, 5000},
    {"1m30s", 0, 90000000},
    {"1h30m", 0, 5400000000},
    {"2d", 0, 172800000000},
    {"1m1ms", 0, 60001000},
    {"213503982d", 0, (uint64_t)213503982 * 86400000000},
    {"213503983d", -ERANGE, 0},
    {"213503982d213503982d", -ERANGE, 0},
    {"0s5", -EINVAL, 0}, // a number without a unit stands alone
    {"1m30", -EINVAL, 0},
    {"", -EINVAL, 0},
    {"s", -EINVAL, 0},
    {"-5s", -EINVAL, 0},
    {"5 s", -EINVAL, 0},
    {"5sec", -EINVAL, 0},
    {"5S", -EINVAL, 0},
    {"1..5s", -EINVAL, 0},
    {"5m ", -EINVAL, 0},
};

#define CHECK(what, fn, rows) check(what, fn, rows, sizeof(rows) / sizeof((rows)[0]))

int main(void)
{
    CHECK("parse_u64 3..300", small, small_rows);
    CHECK("parse_u64", largest, largest_rows);
    CHECK("parse_u32", u32, u32_rows);
    CHECK("parse_octal to 7777", octal, octal_rows);
    CHECK("parse_octal", octal_all, octal_all_rows);
    CHECK("parse_size", parse_size, size_rows);
    CHECK("parse_duration", parse_duration, duration_rows);
    uint64_t v = 0;
    ok(parse_u64n("123x", 3, 0, 999, &v) == 0 && v == 123, "parse_u64n reads no further than n");
    is_int(parse_u64n("123", 0, 0, 999, &v), -EINVAL, "parse_u64n of nothing");
    return done_testing();
}
