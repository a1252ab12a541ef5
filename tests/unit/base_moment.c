// SPDX-License-Identifier: Apache-2.0
#include "internal/base/moment.h"
#include "tests/unit/tap.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NOW UINT64_C(1700000000000000)

static const struct {
    const char *text;
    int result;
    uint64_t us;
} rows[] = {
    {"10m", 0, NOW - UINT64_C(600000000)},
    {"1h30m", 0, NOW - UINT64_C(5400000000)},
    {"1.5s", 0, NOW - UINT64_C(1500000)},
    {"100000d", 0, 0},
    {"0", 0, 0},
    {"1136073845", 0, UINT64_C(1136073845000000)},
    {"1136073845.000001", 0, UINT64_C(1136073845000001)},
    {"2024-05-01T12:00:00Z", 0, UINT64_C(1714564800000000)},
    {"2024-05-01T12:00:00.25Z", 0, UINT64_C(1714564800250000)},
    {"2024-05-01T12:00:00.123456789Z", 0, UINT64_C(1714564800123456)},
    {"2024-05-01T14:00:00+02:00", 0, UINT64_C(1714564800000000)},
    {"2024-05-01T08:30:00-03:30", 0, UINT64_C(1714564800000000)},
    {"2024-05-01T12:00Z", 0, UINT64_C(1714564800000000)},
    {"2024-05-01Z", 0, UINT64_C(1714521600000000)},
    {"2024-02-29Z", 0, UINT64_C(1709164800000000)},
    // the zone of the machine, which is UTC+3 here
    {"2024-05-01T15:00:00", 0, UINT64_C(1714564800000000)},
    {"2024-05-01", 0, UINT64_C(1714510800000000)},
    {"", -EINVAL, 0},
    {"-5m", -EINVAL, 0},
    {"yesterday", -EINVAL, 0},
    {"10 m", -EINVAL, 0},
    {"2023-02-29Z", -EINVAL, 0},
    {"2024-13-01", -EINVAL, 0},
    {"2024-5-1", -EINVAL, 0},
    {"2024-05-01T", -EINVAL, 0},
    {"2024-05-01T12", -EINVAL, 0},
    {"2024-05-01T24:00:00Z", -EINVAL, 0},
    {"2024-05-01T12:00:00.Z", -EINVAL, 0},
    {"2024-05-01T12:00:00Zulu", -EINVAL, 0},
    {"2024-05-01T12:00:00+2", -EINVAL, 0},
    {"1970-01-01T00:00:00+01:00", -ERANGE, 0},
    {"99999999999999999999", -ERANGE, 0},
};

int main(void)
{
    char text[MOMENT_TEXT];
    setenv("TZ", "XYZ-3", 1); // NOLINT(concurrency-mt-unsafe): one thread
    tzset();
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint64_t us = 4711;
        int r = parse_moment(rows[i].text, NOW, &us);
        uint64_t want = rows[i].result == 0 ? rows[i].us : 4711; // untouched on failure
        ok(r == rows[i].result && us == want, "\"%s\"", rows[i].text) ||
            (diag("got %d, %" PRIu64 "; expected %d, %" PRIu64, r, us, rows[i].result, want), 0);
    }
    ok(strcmp(moment_format(UINT64_C(1714564800123456), text), "2024-05-01T12:00:00.123Z") == 0,
       "it is written in UTC, with thousandths");
    return done_testing();
}
