// SPDX-License-Identifier: Apache-2.0
// CRC-64 (ECMA-182, reflected, as .xz uses it); the bytes go through liblzma's, which is fast.
#ifndef BRYO_IMAGE_CRC64_H
#define BRYO_IMAGE_CRC64_H

#include <stddef.h>
#include <stdint.h>

// Start with crc 0.
uint64_t crc64_add(uint64_t crc, const void *bytes, size_t n);

// As if n bytes of zero were added, in a time that does not depend on n: holes cost nothing.
uint64_t crc64_add_zeros(uint64_t crc, uint64_t n);

#endif
