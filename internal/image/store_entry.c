// SPDX-License-Identifier: Apache-2.0
// Entries and temporaries: holding, listing, removing.
#include "internal/base/buf.h"
#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/base/fd.h"
#include "internal/image/store.h"
#include "internal/image/store_meta.h"
#include "internal/image/store_priv.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>

#define META_MAX (64U << 10)

// A use is noted in the folder's own mtime, once a minute at most: warm starts do not dirty the
// disk.
#define USED_GRAIN_S 60

static int flock_retry(int fd, int op)
{
    while (flock(fd, op) < 0)
        if (errno != EINTR)
            return -errno;
    return 0;
}

// *ret_st: of the folder that fd has open.
static bool is_same_dir(int dirfd, const char *name, int fd, struct stat *ret_st)
{
    struct stat by_name;
    return fstatat(dirfd, name, &by_name, AT_SYMLINK_NOFOLLOW) == 0 && fstat(fd, ret_st) == 0 &&
           by_name.st_dev == ret_st->st_dev && by_name.st_ino == ret_st->st_ino;
}

bool store_is_same_dir(int dirfd, const char *name, int fd)
{
    struct stat st;
    return is_same_dir(dirfd, name, fd, &st);
}

static void note_use(int fd, const struct stat *st)
{
    struct timespec now;
    if (clock_gettime(CLOCK_REALTIME, &now) < 0)
        return;
    int64_t age = (int64_t)now.tv_sec - st->st_mtim.tv_sec;
    if (age < 0 || age >= USED_GRAIN_S)
        (void)futimens(fd, NULL);
}

int store_entry_open(struct store *s, const char *name, bool any, struct image_ref *ret)
{
    char path[112];
    (void)snprintf(path, sizeof(path), "store/%s", name);
    for (;;) {
        AUTO_FD int fd = openat(s->fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0)
            return -errno;
        int r = flock_retry(fd, LOCK_SH);
        if (r < 0)
            return r;
        // Whoever removes an entry renames it away under the exclusive lock. If that came between
        // our open and our lock, we hold a folder on its way out.
        struct stat st;
        if (!is_same_dir(s->fd, path, fd, &st))
            continue;
        if ((st.st_mode & STORE_UNSETTLED) && !any && store_is_lost(fd))
            return -ENOENT;
        AUTO_FD int rootfs = openat(fd, "rootfs", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (rootfs < 0)
            return -errno;
        note_use(fd, &st);
        (void)snprintf(ret->entry, sizeof(ret->entry), "%s", name);
        ret->lock_fd = TAKE_FD(fd);
        ret->rootfs_fd = TAKE_FD(rootfs);
        return 0;
    }
}

bool store_entry_is_whole(struct store *s, const char *name)
{
    char path[112];
    struct stat st;
    (void)snprintf(path, sizeof(path), "store/%s", name);
    AUTO_FD int fd = openat(s->fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) < 0 || ((st.st_mode & STORE_UNSETTLED) && store_is_lost(fd)))
        return false;
    return fstatat(fd, "rootfs", &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

int store_entry_adopt(struct store *s, const char *name, struct store_tmp *tmp,
                      struct image_ref *ret)
{
    char path[112];
    (void)snprintf(path, sizeof(path), "store/%s", name);
    // A look that failed must not be taken for another's folder: opened anew, our own would wait
    // for the lock that we hold.
    struct stat by_name;
    struct stat own;
    if (fstatat(s->fd, path, &by_name, AT_SYMLINK_NOFOLLOW) < 0 || fstat(tmp->fd, &own) < 0)
        return -errno;
    if (by_name.st_dev != own.st_dev || by_name.st_ino != own.st_ino)
        return store_entry_open(s, name, false, ret); // another run was first with the same bytes
    // Opened anew it would wait for ourselves. The change of a lock is not atomic (flock(2)):
    // whoever came between and removed the entry is found out as in store_entry_open().
    int r = flock_retry(tmp->fd, LOCK_SH);
    if (r < 0 || !store_is_same_dir(s->fd, path, tmp->fd))
        return r < 0 ? r : -ENOENT;
    ret->rootfs_fd = openat(tmp->fd, "rootfs", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (ret->rootfs_fd < 0)
        return -errno;
    (void)snprintf(ret->entry, sizeof(ret->entry), "%s", name);
    ret->lock_fd = TAKE_FD(tmp->fd);
    return 0;
}

int store_hold(struct store *s, const char *name, struct image_ref *ret, struct err *err)
{
    struct image_ref ref = {.rootfs_fd = -1, .lock_fd = -1};
    int r = store_is_entry_name(name) ? store_entry_open(s, name, true, &ref) : -ENOENT;
    if (r < 0)
        return err_sys(err, -r, "cannot open the stored image %s", name);
    *ret = ref;
    return 0;
}

static void random_name(char ret[24])
{
    uint64_t r = 0;
    if (getrandom(&r, sizeof(r), 0) != (ssize_t)sizeof(r))
        r = (uint64_t)getpid(); // a name that is taken is tried again with the next clock reading
    struct timespec now = {0};
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    (void)snprintf(ret, 24, "%016llx",
                   (unsigned long long)(r ^ (uint64_t)now.tv_nsec ^ (uint64_t)now.tv_sec << 32));
}

// ext4 does not use an inode again for some seconds after it was freed, and looks at every such
// inode of a block group before it goes on to the next: where thousands of files were removed a
// moment ago (an image, a build), creating one takes a millisecond instead of 20 us. With this flag
// each folder below starts in a group of its own, one with room (ext4's Orlov allocator; chattr(1)
// +T). File systems without it say so, and need it not.
static void spread(int fd)
{
    int flags = 0;
    if (ioctl(fd, FS_IOC_GETFLAGS, &flags) < 0 || (flags & FS_TOPDIR_FL))
        return;
    flags |= FS_TOPDIR_FL;
    (void)ioctl(fd, FS_IOC_SETFLAGS, &flags);
}

int store_tmp_make(struct store *s, struct store_tmp *ret, struct err *err)
{
    AUTO_FD int dir = store_subdir(s, "tmp", err);
    if (dir < 0)
        return dir;
    spread(dir);
    for (;;) {
        struct store_tmp tmp = {.fd = -1};
        char name[24];
        random_name(name);
        (void)snprintf(tmp.path, sizeof(tmp.path), "tmp/%s", name);
        if (mkdirat(s->fd, tmp.path, 0700 | STORE_UNSETTLED) < 0) {
            if (errno == EEXIST)
                continue;
            return err_sys(err, errno, "cannot make a folder in %s/tmp", s->path);
        }
        AUTO_FD int fd = openat(s->fd, tmp.path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        int r = fd < 0 ? -errno : flock_retry(fd, LOCK_EX | LOCK_NB);
        if (r == 0 && store_is_same_dir(s->fd, tmp.path, fd)) {
            tmp.fd = TAKE_FD(fd);
            *ret = tmp;
            return 0;
        }
        // A sweep may have found it in the moment when it was not locked yet: then it is the
        // sweep's, and another is made.
        (void)unlinkat(s->fd, tmp.path, AT_REMOVEDIR);
        if (r < 0 && r != -ENOENT && r != -EWOULDBLOCK)
            return err_sys(err, -r, "cannot lock a folder in %s/tmp", s->path);
    }
}

void store_tmp_drop(struct store *s, struct store_tmp *tmp, const struct image_ops *ops)
{
    struct err ignored;
    if (tmp->fd >= 0 && store_is_same_dir(s->fd, tmp->path, tmp->fd))
        (void)ops->remove_tree(ops->ctx, s->fd, tmp->path, &ignored);
    fd_closep(&tmp->fd);
}

// --- walking the store's folders --------------------------------------------------------------

typedef int each_fn(struct store *s, int dirfd, const char *name, void *ctx, struct err *err);

// Calls fn for every name in a folder of the store; a folder that is missing has none.
static int each(struct store *s, const char *folder, each_fn *fn, void *ctx, struct err *err)
{
    int fd = openat(s->fd, folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? 0 : err_sys(err, errno, "cannot open %s/%s", s->path, folder);
    AUTO_DIR DIR *dir = fdopendir(fd);
    if (!dir) {
        (void)close(fd);
        return err_sys(err, ENOMEM, "cannot read %s/%s", s->path, folder);
    }
    struct dirent *ent;
    while ((ent = readdir(dir))) { // NOLINT(concurrency-mt-unsafe): a stream of our own
        if (strcmp(ent->d_name, ".") == 0 || strcmp(ent->d_name, "..") == 0)
            continue;
        int r = fn(s, fd, ent->d_name, ctx, err);
        if (r < 0)
            return r;
    }
    return 0;
}

static int sweep_tmp(struct store *s, int dirfd, const char *name, void *ctx, struct err *err)
{
    const struct image_ops *ops = ctx;
    AUTO_FD int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return 0;
    if (fd >= 0 && flock_retry(fd, LOCK_EX | LOCK_NB) < 0)
        return 0; // somebody is at work there
    // What cannot be removed now (a process of the dead run may still be writing) waits for the
    // next sweep; it is in nobody's way.
    (void)s;
    (void)ops->remove_tree(ops->ctx, dirfd, name, err);
    return 0;
}

static int collect_link(struct store *s, int dirfd, const char *name, void *ctx, struct err *err)
{
    (void)s;
    (void)dirfd;
    (void)err;
    strv_add(ctx, name);
    return 0;
}

static bool has_digest(const struct strv *names, const char *digest)
{
    for (size_t i = 0; i < names->n; i++)
        if (memcmp(names->v[i], digest, 64) == 0)
            return true;
    return false;
}

// links was read before the entries were: a link is made after its entry, so one that was there and
// has no entry now leads nowhere.
static void drop_dead_links(struct store *s, const struct strv *links, const struct strv *entries)
{
    for (size_t i = 0; i < links->n; i++) {
        AUTO_FREE char *path = str_fmt("index/%s", links->v[i]);
        char text[80];
        ssize_t n = readlinkat(s->fd, path, text, sizeof(text));
        if (n != 64 || !has_digest(entries, text))
            (void)unlinkat(s->fd, path, 0);
    }
}

static int sweep_lock(struct store *s, int dirfd, const char *name, void *ctx, struct err *err)
{
    (void)s;
    (void)ctx;
    (void)err;
    AUTO_FD int fd = openat(dirfd, name, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
    if (fd >= 0 && flock_retry(fd, LOCK_EX | LOCK_NB) == 0)
        (void)unlinkat(dirfd, name, 0);
    return 0;
}

static int collect(struct store *s, int dirfd, const char *name, void *ctx, struct err *err)
{
    (void)s;
    (void)dirfd;
    (void)err;
    if (store_is_entry_name(name))
        strv_add(ctx, name);
    return 0;
}

int store_sweep(struct store *s, const struct image_ops *ops, struct err *err)
{
    AUTO_STRV struct strv links = {0};
    AUTO_STRV struct strv names = {0};
    int r = each(s, "tmp", sweep_tmp, (void *)ops, err);
    if (r == 0)
        r = each(s, "index", collect_link, &links, err);
    if (r == 0)
        r = each(s, "store", collect, &names, err);
    if (r == 0)
        r = each(s, "locks", sweep_lock, NULL, err);
    if (r == 0)
        drop_dead_links(s, &links, &names);
    return r;
}

int store_remove(struct store *s, const char *name, const struct image_ops *ops, struct err *err)
{
    char path[112];
    char gone[64];
    char fresh[24];
    if (!store_is_entry_name(name))
        return err_set(err, ENOENT, "no stored image is named %s", name);
    (void)snprintf(path, sizeof(path), "store/%s", name);
    AUTO_FD int tmp = store_subdir(s, "tmp", err);
    if (tmp < 0)
        return tmp;
    AUTO_FD int fd = openat(s->fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return err_sys(err, errno, "cannot open the stored image %s", name);
    if (flock_retry(fd, LOCK_EX | LOCK_NB) < 0) {
        (void)err_set(err, EBUSY, "the image %.12s is in use by a run", name);
        return err_hint(err, "wait until that run has ended");
    }
    // Out of sight first, then removed: nobody ever finds half an entry.
    random_name(fresh);
    (void)snprintf(gone, sizeof(gone), "tmp/%s", fresh);
    if (renameat(s->fd, path, s->fd, gone) < 0)
        return err_sys(err, errno, "cannot remove the stored image %s", name);
    return ops->remove_tree(ops->ctx, s->fd, gone, err);
}

// --- listing ----------------------------------------------------------------------------------

struct listing {
    struct store_entry *v;
    size_t n;
};

void store_entries_free(struct store_entry *entries, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free(entries[i].source);
    free(entries);
}

static void read_meta(int fd, struct store_entry *e)
{
    AUTO_BUF struct buf text = {0};
    AUTO_META struct store_meta m = {0};
    e->damaged = fd_read_file(fd, "meta.json", META_MAX, &text) < 0 ||
                 store_meta_parse(buf_str(&text), text.len, &m) < 0 ||
                 strcmp(m.stats.digest, e->digest) != 0;
    if (e->damaged) {
        e->source = str_dup("");
        return;
    }
    e->source = TAKE_PTR(m.source);
    e->created_s = m.created_s;
    e->stats = m.stats;
}

static int list_one(struct store *s, int dirfd, const char *name, void *ctx, struct err *err)
{
    (void)s;
    (void)err;
    struct listing *l = ctx;
    struct stat st;
    if (!store_is_entry_name(name))
        return 0;
    AUTO_FD int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) < 0)
        return 0; // removed since we read its name
    struct store_entry e = {.created_s = st.st_ctim.tv_sec, .used_s = st.st_mtim.tv_sec};
    (void)snprintf(e.name, sizeof(e.name), "%s", name);
    store_split_name(name, e.digest, e.map_key, &e.layer);
    e.lost = (st.st_mode & STORE_UNSETTLED) && store_is_lost(fd);
    e.in_use = flock_retry(fd, LOCK_EX | LOCK_NB) < 0;
    read_meta(fd, &e);
    l->v = mem_grow(l->v, l->n + 1, sizeof(*l->v));
    l->v[l->n++] = e;
    return 0;
}

static int newest_first(const void *pa, const void *pb)
{
    const struct store_entry *a = pa;
    const struct store_entry *b = pb;
    if (a->created_s != b->created_s)
        return a->created_s < b->created_s ? 1 : -1;
    return strcmp(a->name, b->name);
}

int store_list(struct store *s, struct store_entry **ret, size_t *ret_n, struct err *err)
{
    struct listing l = {0};
    int r = each(s, "store", list_one, &l, err);
    if (r < 0) {
        store_entries_free(l.v, l.n);
        return r;
    }
    if (l.n > 0)
        qsort(l.v, l.n, sizeof(*l.v), newest_first);
    *ret = l.v;
    *ret_n = l.n;
    return 0;
}
