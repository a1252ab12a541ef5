// SPDX-License-Identifier: Apache-2.0
// The bar that is drawn while a tarball is unpacked or packed. Pure.
#ifndef BRYO_ROOTS_PROGRESS_H
#define BRYO_ROOTS_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct buf;

struct progress {
    uint64_t done;    // of total: bytes of the tarball that were read
    uint64_t total;   // 0: not known
    uint64_t out;     // bytes written
    uint64_t entries; // members
    uint64_t elapsed_us;
};

// One line without a newline, at most width columns (20 or more): label, bar, bytes, rate and time
// left. color: bold and green by SGR sequences, which take no columns.
void progress_format(const char *label, const struct progress *p, unsigned width, bool color,
                     struct buf *out);

#endif
