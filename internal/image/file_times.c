// SPDX-License-Identifier: Apache-2.0
#include "internal/image/file_times.h"

#include "internal/base/err.h"

#include <errno.h>
#include <sys/stat.h>

#define NS_PER_S 1000000000

// What is left of a time of modification.
static int try(int dir_fd, struct timespec t, struct timespec *kept)
{
    struct timespec both[2] = {t, t};
    struct stat st;
    if (futimens(dir_fd, both) < 0 || fstat(dir_fd, &st) < 0)
        return -errno;
    *kept = st.st_mtim;
    return 0;
}

int file_times_probe(int dir_fd, struct file_times_range *ret, struct err *err)
{
    struct timespec first = {0};
    struct timespec last = {0};
    struct timespec fine = {0};
    int r = try(dir_fd, (struct timespec){.tv_sec = INT64_MIN}, &first);
    if (r == 0)
        r = try(dir_fd, (struct timespec){.tv_sec = INT64_MAX}, &last);
    if (r == 0)
        r = try(dir_fd, (struct timespec){.tv_nsec = NS_PER_S - 1}, &fine);
    if (r < 0)
        return err_sys(err, -r, "cannot set the times of the directory to unpack into");
    *ret = (struct file_times_range){
        .min_s = first.tv_sec,
        .max_s = last.tv_sec,
        .granularity_ns = NS_PER_S - (uint32_t)fine.tv_nsec,
    };
    return 0;
}

static void fit(const struct file_times_range *range, int64_t *s, uint32_t *ns)
{
    if (*s <= range->min_s || *s >= range->max_s) {
        *s = *s <= range->min_s ? range->min_s : range->max_s;
        *ns = 0; // the first and the last second have no parts
    }
    *ns -= *ns % range->granularity_ns;
}

void file_times_fit(const struct file_times_range *range, struct file_times *t)
{
    fit(range, &t->atime_s, &t->atime_ns);
    fit(range, &t->mtime_s, &t->mtime_ns);
}
