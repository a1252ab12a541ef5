// SPDX-License-Identifier: Apache-2.0
// The line of --stats, the rows of --stats-log, and their plot.
#include "internal/base/buf.h"
#include "internal/base/cleanup.h"
#include "internal/job/plot.h"
#include "internal/job/result.h"
#include "internal/job/stats.h"
#include "tests/unit/tap.h"

#include <errno.h>

static void line(void)
{
    struct job_result r = {.outcome = OUTCOME_EXITED,
                           .status = 3,
                           .started = true,
                           .has_usage = true,
                           .wall_us = 2310000,
                           .user_us = 4100000,
                           .system_us = 999,
                           .max_rss_bytes = 2048,
                           .minor_faults = 5,
                           .major_faults = 2};
    AUTO_BUF struct buf b = {0};
    usage_init(&r.usage);
    stats_line(&r, &b);
    is_str(buf_str(&b),
           "stats: 2.31 s wall, 4.10 s user, 0.00 s system, 2.0 KiB in the largest process, 7 page "
           "faults, exit 3",
           "without a cgroup: what is not known is left out");
    buf_clear(&b);
    r.usage.throttled_us = 500000;
    r.usage.memory_peak_bytes = 104857600;
    r.usage.processes_peak = 14;
    r.usage.page_faults = 70;
    r.usage.read_bytes = 1536;
    r.usage.read_ops = 2;
    r.usage.write_bytes = 0;
    r.usage.cpu_stall_us = 10000;
    r.usage.io_stall_us = 20000;
    stats_line(&r, &b);
    is_str(buf_str(&b),
           "stats: 2.31 s wall, 4.10 s user, 0.00 s system, 0.50 s throttled, 100 MiB peak memory, "
           "70 page faults, 14 processes at once, 1.5 KiB read (2 operations), 0 B written, "
           "stalled for cpu 0.01 s, io 0.02 s, exit 3",
           "with one");
    buf_clear(&b);
    r.started = false;
    r.outcome = OUTCOME_FAILED;
    stats_line(&r, &b);
    is_str(buf_str(&b), "stats: the command did not start; exit 125", "not even begun");
}

static void csv(void)
{
    AUTO_BUF struct buf b = {0};
    struct usage u;
    struct stats_row *rows = NULL;
    size_t n = 0;
    size_t at = 0;
    usage_init(&u);
    stats_csv_header(&b);
    size_t header = b.len;
    u.cpu_user_us = 5;
    u.io_stall_us = 0;
    stats_csv_row(1234567, &u, &b);
    is_str(buf_str(&b) + header, "1.234,5,,,,,,,,,,,,,0\n", "a row: what is not known is empty");
    u.memory_bytes = 4096;
    stats_csv_row(2000000, &u, &b);
    is_int(stats_csv_parse(buf_str(&b), &rows, &n, &at), 0, "and back");
    ok(n == 2 && rows[0].elapsed_us == 1234000 && rows[0].usage.cpu_user_us == 5 &&
           rows[0].usage.memory_bytes == USAGE_UNKNOWN && rows[1].usage.memory_bytes == 4096,
       "the same");
    free(rows);
    buf_adds(&b, "3.0");
    is_int(stats_csv_parse(buf_str(&b), &rows, &n, &at), 0, "cut in the midst of a row");
    is_int((long)n, 2, "which is left out");
    free(rows);
    buf_adds(&b, "00,1,1,1,1,1,1,1,1,1,1,1,1,1,x\n");
    is_int(stats_csv_parse(buf_str(&b), &rows, &n, &at), -EINVAL, "a row that is none");
    is_int((long)at, 4, "is named by its number");
    is_int(stats_csv_parse("", &rows, &n, &at), -EINVAL, "an empty file");
    is_int(stats_csv_parse("seconds,user_us\n", &rows, &n, &at), -EINVAL, "another's file");
    is_int((long)at, 1, "is so from its first line");
}

static void plot(void)
{
    struct stats_row rows[3];
    AUTO_BUF struct buf b = {0};
    for (size_t i = 0; i < 3; i++) {
        usage_init(&rows[i].usage);
        rows[i].elapsed_us = i * 1000000;
        rows[i].usage.cpu_user_us = i * 500000;
        rows[i].usage.memory_bytes = (i + 1) * 30 << 20;
        rows[i].usage.memory_max_bytes = 100 << 20;
    }
    is_int(plot_svg(rows, 3, "a<b>&\x1b\"", &b), 0, "a plot");
    ok(strncmp(buf_str(&b), "<svg ", 5) == 0 && strstr(buf_str(&b), "</svg>\n"), "is an SVG");
    ok(strstr(buf_str(&b), "a&lt;b>&amp;?\""), "with its title made harmless");
    ok(strstr(buf_str(&b), "limit 100 MiB"), "with the limit");
    ok(strstr(buf_str(&b), "not known"), "and a word where nothing is known");
    ok(!strstr(buf_str(&b), "nan") && !strstr(buf_str(&b), "inf"), "and no number that is none");
    rows[2].elapsed_us = 1000000; // two samples at one time
    rows[1].usage.cpu_user_us = USAGE_UNKNOWN;
    buf_clear(&b);
    is_int(plot_svg(rows, 3, "", &b), 0, "odd samples");
    ok(!strstr(buf_str(&b), "nan") && !strstr(buf_str(&b), "inf"), "do no harm");
    is_int(plot_svg(rows, 1, "", &b), -EINVAL, "one sample makes no plot");
}

int main(void)
{
    line();
    csv();
    plot();
    return done_testing();
}
