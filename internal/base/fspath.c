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

// What the last component of a path that is not there is to stand in, made where it is missing, and
// that component; nameless: it is none that could be made.
static int make_parent(int rootfd, const char *path, int nameless, char **ret_leaf)
{
    AUTO_FREE char *parent = NULL;
    split(path, &parent, ret_leaf);
    if (!**ret_leaf || strcmp(*ret_leaf, ".") == 0 || strcmp(*ret_leaf, "..") == 0)
        return nameless;
    return fspath_mkdirs(rootfd, parent);
}

// The components of path that resolve to something that is not there are made one by one; every
// step is resolved from the root again, so a link on the way is followed inside it.
int fspath_mkdirs(int rootfd, const char *path)
{
    int fd = fspath_open(rootfd, *path ? path : "/", O_PATH | O_DIRECTORY);
    if (fd != -ENOENT)
        return fd;
    AUTO_FREE char *leaf = NULL;
    AUTO_FD int up = make_parent(rootfd, path, -ENOENT, &leaf);
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
    AUTO_FREE char *leaf = NULL;
    AUTO_FD int up = make_parent(rootfd, path, -EISDIR, &leaf);
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

// Removal keeps no more than four descriptors and does not recurse, however deep the tree is: what
// is a directory inside of a directory of top is moved up into top, where its turn comes.
struct removal {
    int topfd;
    unsigned moved;  // for names
    unsigned gone;   // entries removed or moved in this pass
    int first_error; // 0 or -errno
};

static void note_error(struct removal *r, int error)
{
    if (r->first_error == 0)
        r->first_error = error;
}

static int open_for_removal(int dirfd, const char *name)
{
    int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 && errno != EACCES)
        return -errno;
    // Mode 0000, as overlayfs makes its work directory, or not writable. The name cannot have
    // become a link to elsewhere: dirfd is a directory of ours that no job can reach any more.
    if (fd < 0 && fchmodat(dirfd, name, 0700, 0) < 0)
        return -errno;
    if (fd < 0)
        fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    struct stat st;
    if (fd >= 0 && fstat(fd, &st) == 0 && (st.st_mode & 0700) != 0700)
        (void)fchmod(fd, 0700); // where it fails, the removal says why
    return fd >= 0 ? fd : -errno;
}

// 0 when the entry is gone, -ENOTEMPTY for a directory with something in it, else why not.
static int remove_leaf(int dirfd, const char *name)
{
    if (unlinkat(dirfd, name, 0) == 0 || errno == ENOENT)
        return 0;
    // POSIX has EPERM for a directory, Linux EISDIR; EPERM is also what an immutable file says.
    int why = errno;
    if (why != EISDIR && why != EPERM)
        return -why;
    if (unlinkat(dirfd, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
        return 0;
    return errno == EEXIST ? -ENOTEMPTY : errno == ENOTDIR ? -why : -errno;
}

typedef void entry_fn(struct removal *r, int dirfd, const char *name);

static int each_entry(struct removal *r, int dirfd, entry_fn *fn)
{
    int again = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (again < 0)
        return -errno;
    AUTO_DIR DIR *dir = fdopendir(again);
    if (!dir) {
        (void)close(again);
        return -ENOMEM;
    }
    struct dirent *ent;
    while ((ent = readdir(dir))) // NOLINT(concurrency-mt-unsafe): a stream of our own
        if (strcmp(ent->d_name, ".") != 0 && strcmp(ent->d_name, "..") != 0)
            fn(r, dirfd, ent->d_name);
    return 0;
}

static void remove_or_move_up(struct removal *r, int dirfd, const char *name)
{
    int result = remove_leaf(dirfd, name);
    if (result == -ENOTEMPTY) {
        // A directory that changes its parent has to be writable itself (rename(2), EACCES).
        AUTO_FD int writable = open_for_removal(dirfd, name);
        (void)writable;
        // The tree may hold such a name of its own; an empty directory of that name is replaced.
        do {
            AUTO_FREE char *to = str_fmt(".bryo-removed-%u", r->moved++);
            result = renameat(dirfd, name, r->topfd, to) < 0 ? -errno : 0;
        } while (result == -EEXIST || result == -ENOTEMPTY || result == -ENOTDIR);
    }
    if (result == 0)
        r->gone++;
    else
        note_error(r, result);
}

static void remove_below_top(struct removal *r, int topfd, const char *name)
{
    int result = remove_leaf(topfd, name);
    if (result == -ENOTEMPTY) {
        AUTO_FD int fd = open_for_removal(topfd, name);
        result = fd < 0 ? fd : each_entry(r, fd, remove_or_move_up);
        if (result == 0 && unlinkat(topfd, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
            result = -errno;
    }
    if (result == 0)
        r->gone++;
    else
        note_error(r, result);
}

int fspath_remove_tree(int dirfd, const char *name)
{
    int result = remove_leaf(dirfd, name);
    if (result != -ENOTEMPTY)
        return result;
    AUTO_FD int top = open_for_removal(dirfd, name);
    if (top < 0)
        return top;
    struct removal r = {.topfd = top};
    do {
        // Only what the last pass could not do counts: a pass before it may have made way.
        r.gone = 0;
        r.first_error = 0;
        result = each_entry(&r, top, remove_below_top);
    } while (result == 0 && r.gone > 0);
    if (unlinkat(dirfd, name, AT_REMOVEDIR) == 0)
        return 0;
    return result < 0 ? result : r.first_error < 0 ? r.first_error : -errno;
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
