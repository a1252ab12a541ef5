// SPDX-License-Identifier: Apache-2.0
// What is said to be kept of a time is what the file system keeps.
#include "internal/image/file_times.h"

#include "tests/unit/scratch.h"
#include "tests/unit/tap.h"

#include <sys/stat.h>

// ext4 with inodes of 256 and of 128 bytes, as its documentation has them.
static const struct file_times_range large = {-2147483648, 15032385535, 1};
static const struct file_times_range small = {-2147483648, 2147483647, 1000000000};

static const struct {
    const struct file_times_range *range;
    int64_t s;
    int64_t want_s;
    uint32_t ns;
    uint32_t want_ns;
} rows[] = {
    {&large, 0, 0, 0, 0},
    {&large, 1606608000, 1606608000, 123456789, 123456789},
    {&large, -1, -1, 999999999, 999999999},
    {&large, 15032385534, 15032385534, 999999999, 999999999},
    {&large, 15032385535, 15032385535, 1, 0},
    {&large, 15032385536, 15032385535, 1, 0},
    {&large, INT64_MAX, 15032385535, 999999999, 0},
    {&large, -2147483647, -2147483647, 1, 1},
    {&large, -2147483648, -2147483648, 1, 0},
    {&large, INT64_MIN, -2147483648, 1, 0},
    {&small, 1606608000, 1606608000, 999999999, 0},
    {&small, 2147483648, 2147483647, 0, 0},
};

static struct file_times time_of_row(size_t i)
{
    return (struct file_times){rows[i].s, rows[i].s, rows[i].ns, rows[i].ns};
}

// The kernel and the file system below the scratch directory keep what is said to be kept.
static void fits_the_kernel(const struct scratch *s, const struct file_times_range *range, size_t i)
{
    struct timespec asked = {rows[i].s, rows[i].ns};
    struct timespec both[2] = {asked, asked};
    struct file_times t = time_of_row(i);
    struct stat st = {0};
    file_times_fit(range, &t);
    is_int(futimens(s->fd, both), 0, "row %zu is set", i);
    is_int(fstat(s->fd, &st), 0, "row %zu is read", i);
    is_int(st.st_mtim.tv_sec, t.mtime_s, "seconds kept of row %zu", i);
    is_int(st.st_mtim.tv_nsec, t.mtime_ns, "nanoseconds kept of row %zu", i);
}

int main(void)
{
    AUTO_SCRATCH struct scratch s = scratch_new();
    const struct file_times_range range = file_times_probe(s.fd);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct file_times t = time_of_row(i);
        file_times_fit(rows[i].range, &t);
        is_int(t.mtime_s, rows[i].want_s, "seconds of row %zu", i);
        is_int(t.mtime_ns, rows[i].want_ns, "nanoseconds of row %zu", i);
        ok(t.atime_s == t.mtime_s && t.atime_ns == t.mtime_ns, "time of access of row %zu", i);
        fits_the_kernel(&s, &range, i);
    }
    const struct file_times_range none = file_times_probe(-1);
    ok(none.min_s == INT64_MIN && none.max_s == INT64_MAX && none.granularity_ns == 1,
       "where nothing is told, all is kept");
    return done_testing();
}
