// SPDX-License-Identifier: Apache-2.0
#include "internal/base/fspath.h"

#include "internal/base/buf.h"
#include "internal/base/cleanup.h"
#include "internal/base/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define IN_ROOT (RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS)

int fspath_open(int rootfd, const char *path, uint64_t flags)
{
    return sys_openat2(rootfd, path, flags, 0, IN_ROOT);
}

// Splits "a/b//c" into the parent "a/b" and the leaf "c"; both copied. A leaf of "" means the root.
static void split(const char *path, char **parent, char **leaf)
{
    size_t end = strlen(path);
    while (end > 0 && path[end - 1] == '/')
        end--;
    size_t start = end;
    while (start > 0 && path[start - 1] != '/')
        start--;
    *leaf = str_dupn(path + start, end - start);
    *parent = str_dupn(path, start);
}

// The components of path that resolve to something that is not there are made one by one; every
// step is resolved from the root again, so a link on the way is followed inside it.
int fspath_mkdirs(int rootfd, const char *path)
{
    int fd = fspath_open(rootfd, *path ? path : "/", O_PATH | O_DIRECTORY);
    if (fd != -ENOENT)
        return fd;
    AUTO_FREE char *parent = NULL;
    AUTO_FREE char *leaf = NULL;
    split(path, &parent, &leaf);
    if (!*leaf || strcmp(leaf, ".") == 0 || strcmp(leaf, "..") == 0)
        return -ENOENT;
    AUTO_FD int up = fspath_mkdirs(rootfd, parent);
    if (up < 0)
        return up;
    if (mkdirat(up, leaf, 0755) < 0 && errno != EEXIST)
        return -errno;
    // EEXIST here is a dangling link: it is left as it is, and the open says -ENOENT.
    return sys_openat2(up, leaf, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0, RESOLVE_NO_SYMLINKS);
}

int fspath_touch(int rootfd, const char *path)
{
    AUTO_FD int fd = fspath_open(rootfd, path, O_PATH);
    struct stat st;
    if (fd >= 0)
        return fstat(fd, &st) < 0 ? -errno : S_ISDIR(st.st_mode) ? -EISDIR : TAKE_FD(fd);
    if (fd != -ENOENT)
        return fd;
    AUTO_FREE char *parent = NULL;
    AUTO_FREE char *leaf = NULL;
    split(path, &parent, &leaf);
    if (!*leaf || strcmp(leaf, ".") == 0 || strcmp(leaf, "..") == 0)
        return -EISDIR;
    AUTO_FD int up = fspath_mkdirs(rootfd, parent);
    if (up < 0)
        return up;
    AUTO_FD int made = openat(up, leaf, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
    if (made < 0)
        return -errno;
    return sys_openat2(up, leaf, O_PATH | O_NOFOLLOW, 0, RESOLVE_NO_SYMLINKS);
}

unsigned fspath_depth(const char *path)
{
    unsigned depth = 0;
    while (*path) {
        size_t n = strcspn(path, "/");
        if (n > 1 || (n == 1 && path[0] != '.'))
            depth++;
        path += n;
        while (*path == '/')
            path++;
    }
    return depth;
}

static void push_components(struct buf *b, const char *path)
{
    while (*path) {
        size_t n = strcspn(path, "/");
        if (n == 2 && path[0] == '.' && path[1] == '.') {
            while (b->len > 0 && b->data[b->len - 1] != '/')
                b->len--;
            if (b->len > 0)
                b->len--;
            if (b->data)
                b->data[b->len] = '\0';
        } else if (n > 1 || (n == 1 && path[0] != '.')) {
            buf_addc(b, '/');
            buf_add(b, path, n);
        }
        path += n;
        while (*path == '/')
            path++;
    }
}

char *fspath_clean(const char *base, const char *path)
{
    struct buf b = {0};
    if (path[0] != '/')
        push_components(&b, base);
    push_components(&b, path);
    if (b.len == 0)
        buf_addc(&b, '/');
    return buf_take(&b);
}

static int remove_children(int dirfd)
{
    int first = 0;
    int again = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (again < 0)
        return -errno;
    AUTO_DIR DIR *dir = fdopendir(again);
    if (!dir) {
        (void)close(again);
        return -ENOMEM;
    }
    struct dirent *ent;
    while ((ent = readdir(dir))) { // NOLINT(concurrency-mt-unsafe): a stream of our own
        if (strcmp(ent->d_name, ".") == 0 || strcmp(ent->d_name, "..") == 0)
            continue;
        int r = fspath_remove_tree(dirfd, ent->d_name);
        if (r < 0 && first == 0)
            first = r;
    }
    return first;
}

static int open_for_removal(int dirfd, const char *name)
{
    int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd >= 0 || errno != EACCES)
        return fd >= 0 ? fd : -errno;
    // Mode 0000, as overlayfs makes its work directory. The name cannot have become a link to
    // elsewhere: dirfd is a directory of ours that no job can reach any more.
    if (fchmodat(dirfd, name, 0700, 0) < 0)
        return -errno;
    fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return fd >= 0 ? fd : -errno;
}

int fspath_remove_tree(int dirfd, const char *name)
{
    if (unlinkat(dirfd, name, 0) == 0 || errno == ENOENT)
        return 0;
    if (errno != EISDIR && errno != EPERM)
        return -errno;
    if (unlinkat(dirfd, name, AT_REMOVEDIR) == 0)
        return 0;
    if (errno != ENOTEMPTY && errno != EEXIST)
        return -errno;
    AUTO_FD int fd = open_for_removal(dirfd, name);
    if (fd < 0)
        return fd;
    int first = remove_children(fd);
    if (first == -EACCES && fchmod(fd, 0700) == 0)
        first = remove_children(fd);
    if (unlinkat(dirfd, name, AT_REMOVEDIR) < 0 && first == 0)
        first = -errno;
    return first;
}

int fspath_make_dirs(const char *path, mode_t mode)
{
    AUTO_FREE char *copy = str_dup(path);
    for (char *p = copy + 1; *copy; p++) {
        if (*p != '/' && *p != '\0')
            continue;
        char was = *p;
        *p = '\0';
        if (mkdir(copy, mode) < 0 && errno != EEXIST)
            return -errno;
        *p = was;
        if (was == '\0')
            break;
    }
    struct stat st;
    if (stat(path, &st) < 0)
        return -errno;
    return S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
}
