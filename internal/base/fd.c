// SPDX-License-Identifier: Apache-2.0
#include "internal/base/fd.h"

#include "internal/base/buf.h"
#include "internal/base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

int fd_write_all(int fd, const void *bytes, size_t n)
{
    const char *p = bytes;
    while (n > 0) {
        ssize_t w = write(fd, p, n);
        if (w < 0) {
            if (errno == EINTR)
                continue;
            return -errno;
        }
        p += w;
        n -= (size_t)w;
    }
    return 0;
}

ssize_t fd_read_full(int fd, void *bytes, size_t n)
{
    char *p = bytes;
    size_t got = 0;
    while (got < n) {
        ssize_t r = read(fd, p + got, n - got);
        if (r < 0) {
            if (errno == EINTR)
                continue;
            return -errno;
        }
        if (r == 0)
            break;
        got += (size_t)r;
    }
    return (ssize_t)got;
}

int fd_read_all(int fd, size_t max, struct buf *out)
{
    size_t total = 0;
    for (;;) {
        char chunk[4096];
        ssize_t r = fd_read_full(fd, chunk, sizeof(chunk));
        if (r < 0)
            return (int)r;
        total += (size_t)r;
        if (total > max)
            return -EFBIG;
        buf_add(out, chunk, (size_t)r);
        if ((size_t)r < sizeof(chunk))
            return 0;
    }
}

int fd_read_file(int dirfd, const char *path, size_t max, struct buf *out)
{
    AUTO_FD int fd = openat(dirfd, path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) < 0)
        return -errno;
    if (!S_ISREG(st.st_mode))
        return -EINVAL;
    return fd_read_all(fd, max, out);
}

int fd_create_file(int dirfd, const char *path, mode_t mode, const void *bytes, size_t n)
{
    AUTO_FD int fd =
        openat(dirfd, path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
    if (fd < 0)
        return -errno;
    return fd_write_all(fd, bytes, n);
}

int fd_write_file(int dirfd, const char *path, const void *bytes, size_t n)
{
    AUTO_FD int fd = openat(dirfd, path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return -errno;
    ssize_t w = write(fd, bytes, n);
    if (w < 0)
        return -errno;
    return (size_t)w == n ? 0 : -EIO;
}

int fd_fill_stdio(void)
{
    for (int fd = 0; fd <= 2; fd++) {
        if (fcntl(fd, F_GETFD) >= 0)
            continue;
        // The lowest free number is this one: all below it are open.
        if (open("/dev/null", fd == 0 ? O_RDONLY : O_WRONLY) < 0) // NOLINT: stays open over exec
            return -errno;
    }
    return 0;
}

int fd_set_nonblock(int fd, int on)
{
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0)
        return -errno;
    int want = on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK;
    if (want != flags && fcntl(fd, F_SETFL, want) < 0)
        return -errno;
    return 0;
}
