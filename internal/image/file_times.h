// SPDX-License-Identifier: Apache-2.0
// The times of a file, and what a file system keeps of them.
//
// Each file system has a first and a last second and a granularity (ext4: 1901 to 2446, or to 2038
// and whole seconds with inodes of 128 bytes; tmpfs: all of 64 bits); the kernel moves other times
// into that range without a word (timestamp_truncate() in Linux's fs/inode.c, since 5.4). What the
// manifest says is what was kept, so times are fitted before either gets them.
#ifndef BRYO_IMAGE_FILE_TIMES_H
#define BRYO_IMAGE_FILE_TIMES_H

#include <stdint.h>

// Seconds since 1970, and nanoseconds below 10^9.
struct file_times {
    int64_t atime_s;
    int64_t mtime_s;
    uint32_t atime_ns;
    uint32_t mtime_ns;
};

struct file_times_range {
    int64_t min_s;
    int64_t max_s;
    uint32_t granularity_ns; // 1 to 10^9
};

// Tries it on an open directory of the caller's own, whose times become others. A file system that
// refuses to (one of FUSE, say) is taken to keep all it accepts.
struct file_times_range file_times_probe(int dir_fd);

// Pure. As the kernel will move them.
void file_times_fit(const struct file_times_range *range, struct file_times *t);

#endif
