// SPDX-License-Identifier: Apache-2.0
#include "internal/image/crc64.h"

#include <lzma.h>

#define POLYNOMIAL UINT64_C(0xc96c5795d7870f42)
#define ONE        (UINT64_C(1) << 63) // x^0; the highest power is in the lowest bit

uint64_t crc64_add(uint64_t crc, const void *bytes, size_t n)
{
    return lzma_crc64(bytes, n, crc);
}

// a * b modulo the polynomial.
static uint64_t multiply(uint64_t a, uint64_t b)
{
    uint64_t product = 0;
    for (uint64_t bit = ONE; bit; bit >>= 1) {
        if (a & bit)
            product ^= b;
        b = b & 1 ? b >> 1 ^ POLYNOMIAL : b >> 1;
    }
    return product;
}

// A zero byte multiplies the register by x^8, so n of them by x^(8 n).
uint64_t crc64_add_zeros(uint64_t crc, uint64_t n)
{
    uint64_t power = ONE >> 8; // x^8, squared at each step
    uint64_t factor = ONE;
    for (; n; n >>= 1) {
        if (n & 1)
            factor = multiply(factor, power);
        power = multiply(power, power);
    }
    return ~multiply(factor, ~crc);
}
