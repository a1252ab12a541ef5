// SPDX-License-Identifier: Apache-2.0
// Whole reads, whole writes, small files. All return 0 (or a count) or -errno, and go on after
// EINTR.
#ifndef BRYO_BASE_FD_H
#define BRYO_BASE_FD_H

#include <stddef.h>
#include <sys/types.h>

struct buf;

int fd_write_all(int fd, const void *bytes, size_t n);

// Reads until n bytes or the end; returns how many.
ssize_t fd_read_full(int fd, void *bytes, size_t n);

// Appends all that fd still gives to *out; -EFBIG beyond max bytes.
int fd_read_all(int fd, size_t max, struct buf *out);

// Appends a small regular file to *out. Opened with O_NONBLOCK|O_NOFOLLOW|O_CLOEXEC, so a FIFO does
// not hang and a link is not followed: -ELOOP for a link, -EINVAL for what is no regular file,
// -EFBIG beyond max bytes. For files of /proc too (their size reads as 0).
int fd_read_file(int dirfd, const char *path, size_t max, struct buf *out);

// Creates path (O_EXCL|O_NOFOLLOW|O_CLOEXEC) with these bytes and mode (before the umask).
int fd_create_file(int dirfd, const char *path, mode_t mode, const void *bytes, size_t n);

// Writes to an existing file in one write(2), as files of /proc and cgroupfs want it.
int fd_write_file(int dirfd, const char *path, const void *bytes, size_t n);

// Opens /dev/null on whichever of 0, 1, 2 is closed, so that nothing opened later lands there.
int fd_fill_stdio(void);

int fd_set_nonblock(int fd, int on);

#endif
