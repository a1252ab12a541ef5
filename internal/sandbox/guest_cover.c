// SPDX-License-Identifier: Apache-2.0
#include "internal/sandbox/guest_cover.h"

#include "internal/base/cleanup.h"
#include "internal/base/fspath.h"
#include "internal/sandbox/guest_mnt.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/mount.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

int guest_cover_in_root(int rootfd, const char *path)
{
    AUTO_FD int dir = fspath_open(rootfd, path, O_PATH | O_DIRECTORY);
    if (dir == -ENOENT || dir == -ENOTDIR)
        return 0;
    // Writable: a bryo inside that is given the same place for its own store finds room there.
    return dir < 0 ? dir : guest_mnt_new(dir, "tmpfs", MS_NOSUID | MS_NODEV, "mode=0700");
}

static bool is_same(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

int guest_cover_in_tree(int tree, const char *path)
{
    char above[PATH_MAX];
    struct stat root;
    struct stat st;
    size_t len = strlen(path);
    if (len >= sizeof(above))
        return -ENAMETOOLONG;
    if (fstat(tree, &root) < 0)
        return -errno;
    // By identity and not by name: what was mounted may have been named by a link, or be a bind of
    // what lies elsewhere.
    memcpy(above, path, len + 1);
    for (;;) {
        if (stat(len ? above : "/", &st) == 0 && is_same(&st, &root))
            return guest_cover_in_root(tree, path[len] ? path + len : "/");
        if (len == 0)
            return 0;
        while (len > 0 && above[len - 1] != '/')
            len--;
        if (len > 0)
            len--;
        above[len] = '\0';
    }
}
