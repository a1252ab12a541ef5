// SPDX-License-Identifier: Apache-2.0
#include "internal/base/own_image.h"

#include "internal/base/err.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

// STATX_MNT_ID: Linux 5.8.
static bool is_same(const char *a, const char *b)
{
    struct statx x;
    struct statx y;
    if (statx(AT_FDCWD, a, 0, STATX_INO | STATX_MNT_ID, &x) < 0 ||
        statx(AT_FDCWD, b, 0, STATX_INO | STATX_MNT_ID, &y) < 0)
        return false;
    return x.stx_ino == y.stx_ino && x.stx_dev_major == y.stx_dev_major &&
           x.stx_dev_minor == y.stx_dev_minor && x.stx_mnt_id == y.stx_mnt_id;
}

int own_image_check(struct err *err)
{
    char path[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);
    if (n < 0) // without /proc nobody has a way in by it
        return 0;
    path[n] = '\0';
    if (is_same("/proc/self/exe", path))
        return 0;
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    (void)err_set(err, EPERM,
                  "started by way of /proc, or replaced while it started: %s is not this "
                  "program",
                  path);
    return err_hint(err, "start bryo by its name");
}
