// SPDX-License-Identifier: Apache-2.0
#include "internal/base/parse.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

static int is_digit(char c)
{
    return c >= '0' && c <= '9';
}

int parse_u64n(const char *s, size_t n, uint64_t min, uint64_t max, uint64_t *ret)
{
    uint64_t value = 0;
    if (n == 0)
        return -EINVAL;
    for (size_t i = 0; i < n; i++) {
        if (!is_digit(s[i]))
            return -EINVAL;
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, (uint64_t)(s[i] - '0'), &value))
            return -ERANGE;
    }
    if (value < min || value > max)
        return -ERANGE;
    *ret = value;
    return 0;
}

int parse_u64(const char *s, uint64_t min, uint64_t max, uint64_t *ret)
{
    return parse_u64n(s, strlen(s), min, max, ret);
}

int parse_u32(const char *s, uint32_t *ret)
{
    uint64_t value = 0;
    int r = parse_u64(s, 0, UINT32_MAX, &value);
    if (r == 0)
        *ret = (uint32_t)value;
    return r;
}

int parse_octal(const char *s, uint32_t max, uint32_t *ret)
{
    uint32_t value = 0;
    if (!*s)
        return -EINVAL;
    for (; *s; s++) {
        if (*s < '0' || *s > '7')
            return -EINVAL;
        if (value > (UINT32_MAX >> 3))
            return -ERANGE;
        value = value << 3 | (uint32_t)(*s - '0');
    }
    if (value > max)
        return -ERANGE;
    *ret = value;
    return 0;
}

// The digits behind a point, times unit, rounded down.
static int fraction(const char *s, const char *end, uint64_t unit, uint64_t *ret)
{
    unsigned __int128 digits = 0;
    unsigned __int128 scale = 1;
    if (s == end)
        return -EINVAL;
    for (; s < end; s++) {
        if (!is_digit(*s))
            return -EINVAL;
        if (scale >= 1000000000000000000U)
            continue; // worth less than one of the smallest: units are below 2^47
        digits = digits * 10 + (unsigned)(*s - '0');
        scale *= 10;
    }
    *ret = (uint64_t)(digits * unit / scale);
    return 0;
}

// A decimal number with an optional fraction, times unit.
static int scaled(const char *s, const char *number_end, uint64_t unit, uint64_t *ret)
{
    const char *dot = memchr(s, '.', (size_t)(number_end - s));
    const char *whole_end = dot ? dot : number_end;
    uint64_t value = 0;
    uint64_t part = 0;
    int r = parse_u64n(s, (size_t)(whole_end - s), 0, UINT64_MAX, &value);
    if (r == 0 && dot)
        r = fraction(dot + 1, number_end, unit, &part);
    if (r < 0)
        return r;
    if (__builtin_mul_overflow(value, unit, &value) || __builtin_add_overflow(value, part, &value))
        return -ERANGE;
    *ret = value;
    return 0;
}

static const char *skip_number(const char *s)
{
    while (is_digit(*s) || *s == '.')
        s++;
    return s;
}

int parse_size(const char *s, uint64_t *ret_bytes)
{
    static const char units[] = "bkmgt";
    const char *end = skip_number(s);
    uint64_t unit = 1;
    if (*end) {
        char low = (char)(*end | 0x20);
        const char *at = strchr(units, low);
        if (!at)
            return -EINVAL;
        unit = (uint64_t)1 << (10 * (at - units));
        const char *rest = end + 1;
        if (*rest && (low == 'b' || (strcasecmp(rest, "b") != 0 && strcasecmp(rest, "ib") != 0)))
            return -EINVAL;
    }
    return scaled(s, end, unit, ret_bytes);
}

int parse_duration(const char *s, uint64_t *ret_us)
{
    static const struct {
        const char *name;
        uint64_t us;
    } units[] = {{"ms", 1000},         {"us", 1},
                 {"s", 1000000},       {"m", 60000000},
                 {"h", 3600000000ULL}, {"d", 86400000000ULL}};
    uint64_t total = 0;
    if (!*s)
        return -EINVAL;
    const char *whole = s;
    while (*s) {
        const char *end = skip_number(s);
        uint64_t unit = 0;
        const char *next = end;
        if (!*end && s == whole)
            unit = 1000000;
        for (size_t i = 0; *end && i < sizeof(units) / sizeof(units[0]) && unit == 0; i++) {
            size_t n = strlen(units[i].name);
            if (strncmp(end, units[i].name, n) == 0) {
                unit = units[i].us;
                next = end + n;
            }
        }
        uint64_t part = 0;
        int r = unit ? scaled(s, end, unit, &part) : -EINVAL;
        if (r < 0)
            return r;
        if (__builtin_add_overflow(total, part, &total))
            return -ERANGE;
        s = next;
    }
    *ret_us = total;
    return 0;
}
