// SPDX-License-Identifier: Apache-2.0
#include "internal/roots/host_output.h"

#include "internal/base/buf.h"
#include "internal/base/err.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

void host_output_done(struct host_output *o)
{
    if (o->temp[0])
        (void)unlinkat(o->dirfd, o->temp, 0);
    fd_closep(&o->fd);
    fd_closep(&o->dirfd);
    free_p(&o->name);
}

static int open_stdout(struct host_output *ret, struct err *err)
{
    if (isatty(STDOUT_FILENO)) {
        (void)err_set(err, EINVAL, "a tarball is not written to a terminal");
        return err_hint(err, "give -o FILE, or send standard output into a file or a pipe");
    }
    ret->fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
    return ret->fd < 0 ? err_sys(err, errno, "cannot write to standard output") : 0;
}

static void new_name(char ret[40])
{
    uint64_t r = 0;
    if (getrandom(&r, sizeof(r), 0) != (ssize_t)sizeof(r))
        r = (uint64_t)getpid();
    (void)snprintf(ret, 40, ".bryo-%016" PRIx64 ".tmp", r);
}

// Without a name where the file system can do so: then nothing is left even by a SIGKILL.
static int open_file(struct host_output *o)
{
    o->fd = openat(o->dirfd, ".", O_RDWR | O_TMPFILE | O_CLOEXEC, 0666);
    if (o->fd >= 0)
        return 0;
    if (errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT && errno != EINVAL)
        return -errno;
    new_name(o->temp);
    o->fd = openat(o->dirfd, o->temp, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
    if (o->fd >= 0)
        return 0;
    o->temp[0] = '\0';
    return -errno;
}

int host_output_open(const char *path, struct host_output *ret, struct err *err)
{
    AUTO_OUTPUT struct host_output o = {.fd = -1, .dirfd = -1};
    struct stat st;
    int r = 0;
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    AUTO_FREE char *dir = slash ? str_dupn(path, (size_t)(slash - path) + 1) : str_dup(".");
    bool there = stat(path, &st) == 0;
    if (strcmp(path, "-") == 0) {
        r = open_stdout(&o, err);
    } else if (!*name || (there && S_ISDIR(st.st_mode))) {
        r = err_set(err, EISDIR, "%s is a directory: give the name of a file in it", path);
    } else if (there && !S_ISREG(st.st_mode)) {
        o.fd = open(path, O_WRONLY | O_NOCTTY | O_CLOEXEC);
        r = o.fd < 0 ? err_sys(err, errno, "cannot write to %s", path) : 0;
    } else {
        o.name = str_dup(name);
        o.dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        r = o.dirfd < 0 ? -errno : open_file(&o);
        if (r < 0)
            (void)err_sys(err, -r, "cannot write a file in %s", dir);
    }
    if (r < 0)
        return r;
    *ret = o;
    o = (struct host_output){.fd = -1, .dirfd = -1};
    return 0;
}

int host_output_publish(struct host_output *o, struct err *err)
{
    char self[32];
    if (!o->name)
        return 0;
    int r = fdatasync(o->fd) < 0 ? -errno : 0;
    if (r == 0 && !o->temp[0]) {
        // linkat(2) replaces nothing, renameat(2) does: so by way of a name of its own.
        (void)snprintf(self, sizeof(self), "/proc/self/fd/%d", o->fd);
        new_name(o->temp);
        if (linkat(AT_FDCWD, self, o->dirfd, o->temp, AT_SYMLINK_FOLLOW) < 0) {
            r = -errno;
            o->temp[0] = '\0';
        }
    }
    if (r == 0 && renameat(o->dirfd, o->temp, o->dirfd, o->name) < 0)
        r = -errno;
    if (r == 0)
        o->temp[0] = '\0';
    return r < 0 ? err_sys(err, -r, "cannot write %s", o->name) : 0;
}
