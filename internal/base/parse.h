// SPDX-License-Identifier: Apache-2.0
// Numbers, sizes and durations as users write them. Strict: no sign, no blanks, no trailing bytes,
// no overflow. Each returns 0, -EINVAL (not of the form) or -ERANGE (too large or out of bounds);
// on failure *ret is untouched.
#ifndef BRYO_BASE_PARSE_H
#define BRYO_BASE_PARSE_H

#include <stddef.h>
#include <stdint.h>

// Decimal digits, min <= value <= max.
int parse_u64(const char *s, uint64_t min, uint64_t max, uint64_t *ret);
int parse_u64n(const char *s, size_t n, uint64_t min, uint64_t max, uint64_t *ret);
int parse_u32(const char *s, uint32_t *ret);

// Octal digits, at most max (umask, mode).
int parse_octal(const char *s, uint32_t max, uint32_t *ret);

// Bytes, as docker spells them: digits with an optional fraction, then b, k, m, g, t (powers of
// 1024, either case, an optional "b" or "ib" behind), no suffix meaning bytes.
int parse_size(const char *s, uint64_t *ret_bytes);

// Microseconds: "90" and "90s" are seconds; ms, us, m, h, d too; parts add up ("1m30s").
int parse_duration(const char *s, uint64_t *ret_us);

#endif
