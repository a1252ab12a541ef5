// SPDX-License-Identifier: Apache-2.0
#include "cmd/bryo/result_file.h"

#include "internal/base/buf.h"
#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/base/fd.h"
#include "internal/base/parse.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

void result_file_done(struct result_file *f)
{
    free(f->path);
    free(f->name);
    fd_closep(&f->dirfd);
    fd_closep(&f->fd);
    *f = RESULT_FILE_NONE;
}

// The N of /dev/fd/N and its other names; -1 when path is none of them.
static int named_descriptor(const char *path)
{
    static const char *const folders[] = {"/dev/fd/", "/proc/self/fd/"};
    static const char *const streams[] = {"/dev/stdin", "/dev/stdout", "/dev/stderr"};
    for (int i = 0; i < 3; i++)
        if (strcmp(path, streams[i]) == 0)
            return i;
    for (int i = 0; i < 2; i++) {
        uint64_t n = 0;
        size_t len = strlen(folders[i]);
        if (strncmp(path, folders[i], len) == 0 && parse_u64(path + len, 0, INT_MAX, &n) == 0)
            return (int)n;
    }
    return -1;
}

static int hold_descriptor(int number, struct result_file *f, struct err *err)
{
    int flags = fcntl(number, F_GETFL);
    if (flags < 0)
        return err_sys(err, errno, "--result: %s", f->path);
    if ((flags & O_ACCMODE) == O_RDONLY)
        return err_set(err, EBADF, "--result: %s is not open for writing", f->path);
    f->fd = fcntl(number, F_DUPFD_CLOEXEC, 3);
    return f->fd < 0 ? err_sys(err, errno, "--result: %s", f->path) : 0;
}

// Splits a path into its directory, which is held, and its last name.
static int hold_directory(const char *path, struct result_file *f, struct err *err)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    AUTO_FREE char *dir = slash ? str_dupn(path, (size_t)(slash - path) + 1) : str_dup(".");
    if (!*name)
        return err_sys(err, EISDIR, "--result: %s", f->path);
    f->dirfd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (f->dirfd < 0 || faccessat(f->dirfd, ".", W_OK | X_OK, AT_EACCESS) < 0)
        return err_sys(err, errno, "--result: writing into %s", dir);
    f->name = str_dup(name);
    mode_t mask = umask(0); // the run sets one of its own
    (void)umask(mask);
    f->mode = 0666 & ~mask;
    return 0;
}

static int prepare(struct result_file *f, struct err *err)
{
    int number = named_descriptor(f->path);
    if (number >= 0)
        return hold_descriptor(number, f, err);
    struct stat st;
    if (stat(f->path, &st) < 0) {
        int num = errno;
        // A link to nothing says ENOENT too, and is a mistake: renaming would replace the link.
        if (num != ENOENT || lstat(f->path, &st) == 0)
            return err_sys(err, num, "--result: %s", f->path);
        return hold_directory(f->path, f, err);
    }
    if (S_ISDIR(st.st_mode))
        return err_sys(err, EISDIR, "--result: %s", f->path);
    if (faccessat(AT_FDCWD, f->path, W_OK, AT_EACCESS) < 0)
        return err_sys(err, errno, "--result: %s", f->path);
    if (!S_ISREG(st.st_mode))
        return 0;
    AUTO_FREE char *real = realpath(f->path, NULL);
    if (!real)
        return err_sys(err, errno, "--result: %s", f->path);
    return hold_directory(real, f, err);
}

int result_file_prepare(const char *path, struct result_file *ret, struct err *err)
{
    struct result_file f = RESULT_FILE_NONE;
    if (path)
        f.path = str_dup(path);
    int r = path ? prepare(&f, err) : 0;
    if (r < 0) {
        result_file_done(&f);
        return r;
    }
    *ret = f;
    return 0;
}

// Writes a new file under a name of its own, with the mode of the one that it will replace.
static int write_beside(const struct result_file *f, const char *temp, const struct buf *text)
{
    struct stat st;
    AUTO_FD int fd =
        openat(f->dirfd, temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    int r = fd_write_all(fd, text->data, text->len);
    mode_t mode = f->mode;
    if (fstatat(f->dirfd, f->name, &st, AT_SYMLINK_NOFOLLOW) == 0)
        mode = st.st_mode & 07777;
    if (r == 0 && fchmod(fd, mode) < 0)
        r = -errno;
    return r;
}

static int write_and_rename(const struct result_file *f, const struct buf *text)
{
    unsigned long long tag = 0;
    if (getrandom(&tag, sizeof(tag), 0) != sizeof(tag))
        return -errno;
    AUTO_FREE char *temp = str_fmt(".bryo-result-%016llx", tag);
    int r = write_beside(f, temp, text);
    if (r == 0 && renameat(f->dirfd, temp, f->dirfd, f->name) < 0)
        r = -errno;
    if (r < 0 && r != -EEXIST)
        (void)unlinkat(f->dirfd, temp, 0);
    return r;
}

static int write_through(const struct result_file *f, const struct buf *text)
{
    if (f->fd >= 0)
        return fd_write_all(f->fd, text->data, text->len);
    // Signals may be blocked by now: waiting for a FIFO's reader could be ended by SIGKILL only.
    AUTO_FD int fd = open(f->path, O_WRONLY | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return -errno;
    int r = fd_set_nonblock(fd, 0);
    return r < 0 ? r : fd_write_all(fd, text->data, text->len);
}

int result_file_write(const struct result_file *f, const struct buf *text, struct err *err)
{
    if (!f->path)
        return 0;
    int r = f->name ? write_and_rename(f, text) : write_through(f, text);
    if (r == -ENXIO)
        return err_set(err, ENXIO, "--result: nobody reads from %s", f->path);
    return r < 0 ? err_sys(err, -r, "--result: writing %s", f->path) : 0;
}
