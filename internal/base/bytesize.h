// SPDX-License-Identifier: Apache-2.0
// How many bytes, for people. Pure.
#ifndef BRYO_BASE_BYTESIZE_H
#define BRYO_BASE_BYTESIZE_H

#include <stdint.h>

struct buf;

// Appends "0 B", "1.5 KiB", "156 MiB": at most three digits, one of them behind the point below 10.
void bytesize_add(struct buf *out, uint64_t bytes);

#endif
