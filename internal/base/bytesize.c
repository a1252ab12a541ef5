// SPDX-License-Identifier: Apache-2.0
#include "internal/base/bytesize.h"

#include "internal/base/buf.h"

#include <inttypes.h>

void bytesize_add(struct buf *out, uint64_t bytes)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    uint64_t whole = bytes;
    uint64_t rest = 0;
    size_t unit = 0;
    // 1000 KiB would be four digits wide: the next unit is taken a little before it is full.
    for (; whole >= 1000 && unit + 1 < sizeof(units) / sizeof(units[0]); unit++) {
        rest = whole % 1024;
        whole /= 1024;
    }
    if (unit == 0 || whole >= 10)
        buf_addf(out, "%" PRIu64 " %s", whole, units[unit]);
    else
        buf_addf(out, "%" PRIu64 ".%" PRIu64 " %s", whole, rest * 10 / 1024, units[unit]);
}
