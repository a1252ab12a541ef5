// SPDX-License-Identifier: Apache-2.0
#include "internal/image/verify.h"

#include "internal/base/buf.h"
#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/base/escape.h"
#include "internal/base/fd.h"
#include "internal/image/crc64.h"
#include "internal/image/manifest_set.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#define MANIFEST_MAX (UINT64_C(4) << 30)
#define BLOCK        (256U << 10)

struct verify {
    const struct verify_job *job;
    struct manifest_set want;
    unsigned char *block;
    uint64_t checked;
};

static void bad(struct verify *v, const char *path, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void bad(struct verify *v, const char *path, const char *fmt, ...)
{
    AUTO_BUF struct buf line = {0};
    va_list ap;
    escape_add(&line, *path ? path : "/", *path ? strlen(path) : 1);
    buf_adds(&line, ": ");
    va_start(ap, fmt);
    buf_vaddf(&line, fmt, ap);
    va_end(ap);
    v->job->bad(v->job->bad_ctx, buf_str(&line));
}

static char type_of(const struct stat *st)
{
    mode_t mode = st->st_mode;
    return S_ISREG(mode)                       ? 'f'
           : S_ISDIR(mode)                     ? 'd'
           : S_ISLNK(mode)                     ? 'l'
           : S_ISFIFO(mode)                    ? 'p'
           : S_ISCHR(mode) && st->st_rdev == 0 ? 'w'
                                               : '?';
}

static const char *type_name(char type)
{
    switch (type) {
    case 'f':
        return "a file";
    case 'd':
        return "a directory";
    case 'l':
        return "a symbolic link";
    case 'p':
        return "a FIFO";
    case 'w':
        return "a whiteout";
    default:
        return "something else";
    }
}

// From where the descriptor stands to the end of a run of data.
static int sum_data(struct verify *v, int fd, uint64_t n, uint64_t *crc)
{
    while (n > 0) {
        ssize_t got = fd_read_full(fd, v->block, n < BLOCK ? (size_t)n : BLOCK);
        if (got <= 0)
            return got < 0 ? (int)got : -ENODATA; // it became shorter since its size was read
        *crc = crc64_add(*crc, v->block, (size_t)got);
        n -= (uint64_t)got;
    }
    return 0;
}

// Holes are not read: a file of nothing else may be larger than any disk. Where a file system knows
// of none, all is data (lseek(2)).
static int sum(struct verify *v, int fd, uint64_t size, uint64_t *crc)
{
    uint64_t at = 0;
    while (at < size) {
        off_t data = lseek(fd, (off_t)at, SEEK_DATA);
        off_t hole = data < 0 ? data : lseek(fd, data, SEEK_HOLE);
        if (data < 0 && errno == ENXIO)
            data = hole = (off_t)size;
        if (hole < 0 || lseek(fd, data, SEEK_SET) < 0)
            return -errno;
        *crc = crc64_add_zeros(*crc, (uint64_t)data - at);
        int r = sum_data(v, fd, (uint64_t)(hole - data), crc);
        if (r < 0)
            return r;
        at = (uint64_t)hole;
    }
    return 0;
}

static void check_content(struct verify *v, int dir, const char *name, const char *path,
                          const struct manifest_entry *want)
{
    AUTO_FD int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0) {
        bad(v, path, "cannot be read: %s", err_words(errno));
        return;
    }
    uint64_t crc = 0;
    int r = sum(v, fd, want->size, &crc);
    if (r < 0) {
        bad(v, path, "cannot be read: %s", err_words(-r));
        return;
    }
    if (crc != want->crc)
        bad(v, path, "its contents have changed");
}

static void check_link(struct verify *v, int dir, const char *name, const char *path,
                       const struct manifest_entry *want)
{
    char target[PATH_MAX + 1];
    ssize_t n = readlinkat(dir, name, target, sizeof(target) - 1);
    if (n < 0) {
        bad(v, path, "cannot be read: %s", err_words(errno));
        return;
    }
    target[n] = '\0';
    if (strcmp(target, want->link) != 0)
        bad(v, path, "it leads elsewhere");
}

static void check(struct verify *v, int dir, const char *name, const char *path,
                  const struct stat *st)
{
    struct manifest_item *item = manifest_set_find(&v->want, path);
    if (!item) {
        bad(v, path, "was not unpacked");
        return;
    }
    const struct manifest_entry *want = &item->as->e;
    item->seen = true;
    item->ino = st->st_ino;
    v->checked++;
    char type = type_of(st);
    if (want->type == 'w' && type == 'f' && st->st_size == 0)
        type = 'w'; // as layer.c makes them where the store lies on an overlay
    if (type != want->type) {
        bad(v, path, "is %s and was %s", type_name(type), type_name(want->type));
        return;
    }
    if (type != 'l' && type != 'w' && (st->st_mode & 07777) != want->mode)
        bad(v, path, "its mode is %04o and was %04o", st->st_mode & 07777, want->mode);
    if (v->job->owners && (st->st_uid != want->uid || st->st_gid != want->gid))
        bad(v, path, "its owner is %u:%u and was %u:%u", st->st_uid, st->st_gid, want->uid,
            want->gid);
    if (want->has_mtime &&
        (st->st_mtim.tv_sec != want->mtime_s || st->st_mtim.tv_nsec != (long)want->mtime_ns))
        bad(v, path, "its time of modification has changed");
    if (type == 'f' && (uint64_t)st->st_size != want->size)
        bad(v, path, "its size is %" PRIu64 " and was %" PRIu64, (uint64_t)st->st_size, want->size);
    else if (type == 'f')
        check_content(v, dir, name, path, want);
    else if (type == 'l')
        check_link(v, dir, name, path, want);
}

static void walk(struct verify *v, int dirfd, const char *path)
{
    AUTO_DIR DIR *dir = fdopendir(dirfd);
    if (!dir) {
        (void)close(dirfd);
        bad(v, path, "cannot be read: %s", err_words(ENOMEM));
        return;
    }
    struct dirent *ent;
    while ((ent = readdir(dir))) { // NOLINT(concurrency-mt-unsafe): a stream of our own
        const char *name = ent->d_name;
        struct stat st;
        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
            continue;
        AUTO_FREE char *below = str_fmt("%s%s%s", path, *path ? "/" : "", name);
        if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
            bad(v, below, "cannot be read: %s", err_words(errno));
            continue;
        }
        check(v, dirfd, name, below, &st);
        if (!S_ISDIR(st.st_mode))
            continue;
        int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0)
            bad(v, below, "cannot be read: %s", err_words(errno));
        else
            walk(v, fd, below);
    }
}

static void check_root(struct verify *v)
{
    struct stat st;
    if (manifest_set_find(&v->want, "") && fstat(v->job->root_fd, &st) == 0)
        check(v, v->job->root_fd, ".", "", &st);
}

static void check_missing(struct verify *v)
{
    for (size_t i = 0; i < v->want.n; i++) {
        const struct manifest_item *item = &v->want.v[i];
        if (item->alive && !item->seen)
            bad(v, item->e.path, "is missing");
        else if (item->alive && item->as->alive && item->as->ino != item->ino)
            bad(v, item->e.path, "is no longer the same file as %s", "its hard link");
    }
}

static int read_manifest(struct verify *v, struct err *err)
{
    AUTO_BUF struct buf text = {0};
    int r = lseek(v->job->manifest_fd, 0, SEEK_SET) < 0
                ? -errno
                : fd_read_all(v->job->manifest_fd, MANIFEST_MAX, &text);
    if (r < 0)
        return err_sys(err, -r, "cannot read the manifest of the stored image");
    if (text.len == 0 || memchr(text.data, '\0', text.len))
        return err_set(err, EBADMSG, "the manifest of the stored image is damaged");
    return manifest_set_parse(text.data, &v->want, err);
}

int verify_run(const struct verify_job *job, uint64_t *ret_checked, struct err *err)
{
    struct verify v = {.job = job};
    int r = read_manifest(&v, err);
    if (r < 0)
        return r;
    v.block = mem_alloc(BLOCK);
    int fd = openat(job->root_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        r = err_sys(err, errno, "cannot open the unpacked tree");
    } else {
        check_root(&v);
        walk(&v, fd, "");
        check_missing(&v);
        *ret_checked = v.checked;
    }
    free(v.block);
    manifest_set_done(&v.want);
    return r;
}
