// SPDX-License-Identifier: Apache-2.0
#include "cmd/bryo/age.h"

#include "internal/base/buf.h"

#include <inttypes.h>
#include <stddef.h>

#define MINUTE INT64_C(60)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)

// Each unit until there are so many of it that the next one tells enough (docker's
// units.HumanDuration).
static const struct {
    int64_t below; // seconds
    int64_t unit;
    const char *name;
} steps[] = {
    {MINUTE, 1, "second"},          {HOUR, MINUTE, "minute"},    {2 * DAY, HOUR, "hour"},
    {14 * DAY, DAY, "day"},         {60 * DAY, 7 * DAY, "week"}, {730 * DAY, 30 * DAY, "month"},
    {INT64_MAX, 365 * DAY, "year"},
};

void print_span(int64_t from_s, int64_t to_s, struct buf *out)
{
    int64_t age = to_s > from_s ? to_s - from_s : 0;
    size_t i = 0;
    while (age >= steps[i].below)
        i++;
    int64_t n = age / steps[i].unit;
    if (age == 0)
        buf_adds(out, "Less than a second");
    else if (n == 1 && steps[i].unit == MINUTE)
        buf_adds(out, "About a minute");
    else if (n == 1 && steps[i].unit == HOUR)
        buf_adds(out, "About an hour");
    else
        buf_addf(out, "%" PRId64 " %s%s", n, steps[i].name, n == 1 ? "" : "s");
}

void print_age(int64_t then_s, int64_t now_s, struct buf *out)
{
    print_span(then_s, now_s, out);
    buf_adds(out, " ago");
}
