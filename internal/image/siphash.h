// SPDX-License-Identifier: Apache-2.0
// SipHash-1-3 (Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012; one round a word
// and three at the end, as Rust's and Python's hash tables use it). Pure.
#ifndef BRYO_IMAGE_SIPHASH_H
#define BRYO_IMAGE_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

uint64_t siphash(uint64_t k0, uint64_t k1, const void *bytes, size_t n);

#endif
