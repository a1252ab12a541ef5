// SPDX-License-Identifier: Apache-2.0
#include "internal/image/file_times.h"

#include <sys/stat.h>

#define NS_PER_S 1000000000U

// What is left of a time of modification; the time itself where the file system does not say.
static struct timespec kept_of(int dir_fd, struct timespec t)
{
    const struct timespec both[2] = {t, t};
    struct stat st;
    return futimens(dir_fd, both) < 0 || fstat(dir_fd, &st) < 0 ? t : st.st_mtim;
}

struct file_times_range file_times_probe(int dir_fd)
{
    const struct timespec fine = kept_of(dir_fd, (struct timespec){.tv_nsec = NS_PER_S - 1});
    return (struct file_times_range){
        .min_s = kept_of(dir_fd, (struct timespec){.tv_sec = INT64_MIN}).tv_sec,
        .max_s = kept_of(dir_fd, (struct timespec){.tv_sec = INT64_MAX}).tv_sec,
        .granularity_ns = NS_PER_S - (uint32_t)fine.tv_nsec,
    };
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
