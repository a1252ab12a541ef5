// SPDX-License-Identifier: Apache-2.0
// A moment in time as users write it.
#ifndef BRYO_BASE_MOMENT_H
#define BRYO_BASE_MOMENT_H

#include <stdint.h>

// The forms that docker and podman take: "10m" (so long before now), "1700000000" and
// "1700000000.5" (seconds since 1970), "2024-05-01", "2024-05-01T12:00:00", both in the time zone
// of the machine, with "Z" or "+02:00" behind in that one; a fraction of seconds may stand.
// Microseconds since 1970; now_us is the same. 0, -EINVAL, -ERANGE; *ret is untouched on failure.
int parse_moment(const char *s, uint64_t now_us, uint64_t *ret_us);

// "2024-05-01T12:00:00.123Z" in UTC; ret: at least MOMENT_TEXT bytes.
enum { MOMENT_TEXT = 48 };
const char *moment_format(uint64_t us, char *ret);

#endif
