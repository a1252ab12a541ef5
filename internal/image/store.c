// SPDX-License-Identifier: Apache-2.0
// From a tarball's path to an entry that is held: the warm way and the cold one.
#include "internal/image/store.h"

#include "internal/base/buf.h"
#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/base/fd.h"
#include "internal/base/fspath.h"
#include "internal/image/store_meta.h"
#include "internal/image/store_priv.h"
#include "internal/job/stage.h"

#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

static int open_root(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd >= 0 ? fd : -errno;
}

// The folder holds set-user-ID files that strangers made, so nobody else may look into it.
static int check_root(const char *path, int fd, struct err *err)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return err_sys(err, errno, "image store %s", path);
    if (st.st_uid != geteuid()) {
        (void)err_set(err, EPERM, "the image store %s belongs to user %u, not to you", path,
                      st.st_uid);
        return err_hint(err, "set XDG_CACHE_HOME to a directory of your own");
    }
    if ((st.st_mode & 077) != 0 && fchmod(fd, 0700) < 0)
        return err_sys(err, errno, "cannot make the image store %s private", path);
    return 0;
}

int store_open(const char *cache_dir, struct store **ret, struct err *err)
{
    AUTO_FREE char *path = str_fmt("%s/bryo", cache_dir);
    AUTO_FD int fd = open_root(path);
    if (fd == -ENOENT) {
        int r = fspath_make_dirs(path, 0700);
        fd = r < 0 ? r : open_root(path);
    }
    if (fd < 0) {
        (void)err_sys(err, -fd, "cannot open the image store %s", path);
        return err_hint(err, "it needs a directory that you may write to; XDG_CACHE_HOME moves it");
    }
    int r = check_root(path, fd, err);
    if (r < 0)
        return r;
    struct store *s = mem_alloc(sizeof(*s));
    s->path = TAKE_PTR(path);
    s->fd = TAKE_FD(fd);
    *ret = s;
    return 0;
}

void store_close(struct store *s)
{
    if (!s)
        return;
    fd_closep(&s->fd);
    free(s->path);
    free(s);
}

int store_dirfd(const struct store *s)
{
    return s->fd;
}

int store_subdir(struct store *s, const char *name, struct err *err)
{
    int fd = openat(s->fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT) {
        if (mkdirat(s->fd, name, 0700) < 0 && errno != EEXIST)
            return err_sys(err, errno, "cannot make %s/%s", s->path, name);
        fd = openat(s->fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    }
    if (fd < 0)
        return err_sys(err, errno, "cannot open %s/%s", s->path, name);
    return fd;
}

void image_ref_done(struct image_ref *ref)
{
    fd_closep(&ref->rootfs_fd);
    fd_closep(&ref->lock_fd);
}

// What a file is, as far as the kernel tells: any write to it changes the ctime.
static void identity(const struct stat *st, char ret[128])
{
    (void)snprintf(ret, 128, "%" PRIx64 "-%" PRIx64 "-%" PRIx64 "-%" PRIx64 ".%lx-%" PRIx64 ".%lx",
                   (uint64_t)st->st_dev, (uint64_t)st->st_ino, (uint64_t)st->st_size,
                   (uint64_t)st->st_mtim.tv_sec, (unsigned long)st->st_mtim.tv_nsec,
                   (uint64_t)st->st_ctim.tv_sec, (unsigned long)st->st_ctim.tv_nsec);
}

// What is wrong with the tarball is no failure of the store.
static int cannot_open(const char *path, struct err *err)
{
    (void)err_sys(err, errno, "cannot open %s", path);
    return err_stage(err, STAGE_IMAGE);
}

static int check_tarball(const char *path, const struct stat *st, struct err *err)
{
    if (S_ISREG(st->st_mode))
        return 0;
    if (S_ISDIR(st->st_mode)) {
        (void)err_set(err, EISDIR, "%s is a directory, not a tarball", path);
    } else {
        (void)err_set(err, EINVAL, "%s is not a regular file", path);
        (void)err_hint(err, "a tarball is found again by its inode: store it in a file first");
    }
    return err_stage(err, STAGE_IMAGE);
}

// The link is read in one call and made atomically; what it says is believed only when it has the
// form of a digest, and only as far as an entry of that name exists.
static bool index_lookup(struct store *s, const char *id, char ret_digest[65])
{
    char path[160];
    char text[80];
    (void)snprintf(path, sizeof(path), "index/%s", id);
    ssize_t n = readlinkat(s->fd, path, text, sizeof(text));
    if (n < 0 || !store_is_digest(text, (size_t)n))
        return false;
    memcpy(ret_digest, text, 64);
    ret_digest[64] = '\0';
    return true;
}

static int index_add(struct store *s, const char *id, const char *digest, struct err *err)
{
    AUTO_FD int dir = store_subdir(s, "index", err);
    if (dir < 0)
        return dir;
    char tmp[64];
    (void)snprintf(tmp, sizeof(tmp), ".new-%d", (int)getpid());
    (void)unlinkat(dir, tmp, 0);
    if (symlinkat(digest, dir, tmp) < 0 || renameat(dir, tmp, dir, id) < 0)
        return err_sys(err, errno, "cannot write the index of the image store %s", s->path);
    return 0;
}

int store_digest_of(struct store *s, const char *path, char ret_digest[65], struct err *err)
{
    struct stat st;
    char id[128];
    if (stat(path, &st) < 0)
        return cannot_open(path, err);
    int r = check_tarball(path, &st, err);
    if (r < 0)
        return r;
    identity(&st, id);
    if (!index_lookup(s, id, ret_digest))
        return err_set(err, ENOENT, "%s has not been imported", path);
    return 0;
}

static int find(struct store *s, const char *id, const char *key, struct image_ref *ret)
{
    char digest[65];
    char name[96];
    if (!index_lookup(s, id, digest))
        return -ENOENT;
    store_entry_name(name, digest, key);
    return store_entry_open(s, name, false, ret);
}

// One unpacking an input at a time. The holder removes the file before it lets go, so a lock on a
// file without a name is a lock on nothing: try again.
static int lock_take(struct store *s, const char *id, const char *key, char ret_path[192],
                     int *ret_fd, struct err *err)
{
    AUTO_FD int dir = store_subdir(s, "locks", err);
    if (dir < 0)
        return dir;
    (void)snprintf(ret_path, 192, "locks/%s-%s", id, key);
    for (;;) {
        AUTO_FD int fd = openat(s->fd, ret_path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (fd < 0)
            return err_sys(err, errno, "cannot make a lock in %s", s->path);
        while (flock(fd, LOCK_EX) < 0)
            if (errno != EINTR)
                return err_sys(err, errno, "cannot lock in %s", s->path);
        struct stat st;
        if (fstat(fd, &st) < 0)
            return err_sys(err, errno, "cannot lock in %s", s->path);
        if (st.st_nlink > 0) {
            *ret_fd = TAKE_FD(fd);
            return 0;
        }
    }
}

// A write within the clock tick in which we look would leave the ctime as it is, and the index
// would take the new bytes for the old. So a file that was just written is read only after that
// tick (10 ms at CONFIG_HZ=100). "Racy git" is the name of the problem.
static void let_clock_tick(const struct stat *st)
{
    struct timespec now;
    if (clock_gettime(CLOCK_REALTIME, &now) < 0)
        return;
    int64_t age_ns = ((int64_t)now.tv_sec - st->st_ctim.tv_sec) * INT64_C(1000000000) +
                     (now.tv_nsec - st->st_ctim.tv_nsec);
    struct timespec wait = {.tv_nsec = 20000000};
    if (age_ns < wait.tv_nsec)
        (void)nanosleep(&wait, NULL);
}

struct have_ctx {
    struct store *store;
    const char *key;
    struct image_ref *ref;
};

static bool have(void *opaque, const char *digest)
{
    struct have_ctx *c = opaque;
    char name[96];
    store_entry_name(name, digest, c->key);
    return store_entry_open(c->store, name, false, c->ref) == 0;
}

static int write_meta(const struct store_tmp *tmp, const char *source,
                      const struct unpack_stats *stats)
{
    AUTO_BUF struct buf text = {0};
    struct timespec now = {0};
    (void)clock_gettime(CLOCK_REALTIME, &now);
    struct store_meta m = {
        .source = (char *)source, .created_s = (int64_t)now.tv_sec, .stats = *stats};
    store_meta_format(&m, &text);
    return fd_create_file(tmp->fd, "meta.json", 0600, text.data, text.len);
}

// After this the entry exists, and whole.
static int publish(struct store *s, struct store_tmp *tmp, const char *name,
                   const struct image_ops *ops, struct err *err)
{
    AUTO_FD int dir = store_subdir(s, "store", err);
    if (dir < 0)
        return dir;
    int r = renameat2(s->fd, tmp->path, dir, name, RENAME_NOREPLACE) < 0 ? -errno : 0;
    // There is one already: either another run was first, with the same bytes, or somebody damaged
    // it.
    if (r == -EEXIST && !store_entry_is_whole(s, name)) {
        r = store_remove(s, name, ops, err);
        if (r < 0)
            return r;
        r = renameat2(s->fd, tmp->path, dir, name, RENAME_NOREPLACE) < 0 ? -errno : 0;
    }
    return r < 0 && r != -EEXIST ? err_sys(err, -r, "cannot put %s into the image store", name) : 0;
}

struct cold {
    const char *path;
    const char *id;
    const char *key;
    int input_fd;
    const struct image_limits *limits;
    const struct image_ops *ops;
    bool show_progress;
};

static int check_unchanged(const struct cold *c, struct err *err)
{
    struct stat st;
    char id[128];
    if (fstat(c->input_fd, &st) < 0)
        return err_sys(err, errno, "cannot read %s", c->path);
    identity(&st, id);
    if (strcmp(id, c->id) == 0)
        return 0;
    (void)err_set(err, EAGAIN, "%s was changed while it was being read", c->path);
    (void)err_hint(err, "run again when whatever writes it has finished");
    return err_stage(err, STAGE_IMAGE);
}

static int unpack_into(struct store *s, const struct cold *c, struct store_tmp *tmp,
                       struct image_ref *ret, struct err *err)
{
    if (mkdirat(tmp->fd, "rootfs", 0755) < 0)
        return err_sys(err, errno, "cannot make a folder in %s", s->path);
    AUTO_FD int rootfs = openat(tmp->fd, "rootfs", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    AUTO_FD int manifest = openat(tmp->fd, "manifest", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (rootfs < 0 || manifest < 0)
        return err_sys(err, errno, "cannot make a folder in %s", s->path);
    struct have_ctx hc = {s, c->key, ret};
    struct unpack_request req = {
        .input_fd = c->input_fd,
        .dst_fd = rootfs,
        .manifest_fd = manifest,
        .limits = c->limits,
        .show_progress = c->show_progress,
        .have = have,
        .have_ctx = &hc,
    };
    struct unpack_stats stats = {0};
    int r = c->ops->unpack(c->ops->ctx, &req, &stats, err);
    // Whoever read the digest and whoever unpacked must have read the same bytes.
    int changed = check_unchanged(c, err);
    if (changed < 0)
        return changed;
    if (ret->lock_fd >= 0) // these bytes were stored already, under another path
        return 0;
    if (r < 0)
        return r;
    if (!store_is_digest(stats.digest, strlen(stats.digest)))
        return err_set(err, EPROTO, "bryo-unpack gave no digest for %s", c->path);
    // What unpacks reads hostile bytes, and its words are not believed unseen.
    if (!store_is_format(stats.format))
        return err_set(err, EPROTO, "bryo-unpack gave no format for %s", c->path);
    r = write_meta(tmp, c->path, &stats);
    if (r == 0)
        r = store_settle_later(tmp->fd);
    if (r < 0)
        return err_sys(err, -r, "cannot write to %s", s->path);
    char name[96];
    store_entry_name(name, stats.digest, c->key);
    r = publish(s, tmp, name, c->ops, err);
    if (r < 0)
        return r;
    r = store_entry_adopt(s, name, tmp, ret);
    if (r < 0)
        return err_sys(err, -r, "the image store entry %s vanished", name);
    ret->unpacked = true;
    ret->stats = stats;
    return 0;
}

// With the lock on this input held.
static int unpack_new(struct store *s, const struct cold *c, struct image_ref *ret, struct err *err)
{
    struct store_tmp tmp = {.fd = -1};
    int r = store_sweep(s, c->ops, err);
    if (r == 0)
        r = store_tmp_make(s, &tmp, err);
    if (r < 0)
        return r;
    r = unpack_into(s, c, &tmp, ret, err);
    store_tmp_drop(s, &tmp, c->ops); // published: its name is gone, and there is nothing to drop
    if (r == 0) {
        char digest[65];
        (void)snprintf(digest, sizeof(digest), "%.64s", ret->entry);
        r = index_add(s, c->id, digest, err);
    }
    if (r < 0)
        image_ref_done(ret);
    return r;
}

static int ensure_cold(struct store *s, struct cold *c, struct image_ref *ret, struct err *err)
{
    // O_NONBLOCK: should the path have become a FIFO meanwhile.
    AUTO_FD int input = open(c->path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    struct stat st;
    if (input < 0 || fstat(input, &st) < 0)
        return cannot_open(c->path, err);
    int r = check_tarball(c->path, &st, err);
    if (r < 0)
        return r;
    char id[128];
    char lock_path[192];
    identity(&st, id);
    c->id = id;
    c->input_fd = input;
    AUTO_FD int lock = -1;
    r = lock_take(s, id, c->key, lock_path, &lock, err);
    if (r < 0)
        return r;
    r = find(s, id, c->key, ret); // by whoever held the lock before
    if (r == -ENOENT) {
        let_clock_tick(&st);
        r = unpack_new(s, c, ret, err);
    }
    (void)unlinkat(s->fd, lock_path, 0);
    return r;
}

int store_ensure(struct store *s, const char *path, const char *key,
                 const struct image_limits *limits, const struct image_ops *ops, bool show_progress,
                 struct image_ref *ret, struct err *err)
{
    struct stat st;
    if (stat(path, &st) < 0)
        return cannot_open(path, err);
    int r = check_tarball(path, &st, err);
    if (r < 0)
        return r;
    char id[128];
    struct image_ref ref = {.rootfs_fd = -1, .lock_fd = -1};
    identity(&st, id);
    r = find(s, id, key, &ref);
    if (r == -ENOENT) {
        struct cold c = {
            .path = path, .key = key, .limits = limits, .ops = ops, .show_progress = show_progress};
        r = ensure_cold(s, &c, &ref, err);
    } else if (r < 0) {
        (void)err_sys(err, -r, "cannot open an entry of the image store %s", s->path);
    }
    if (r == 0)
        *ret = ref;
    return r;
}
