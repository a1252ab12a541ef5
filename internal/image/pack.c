// SPDX-License-Identifier: Apache-2.0
// What is in the scratch was made by the job, which may be hostile: nothing is followed, and only
// what fstat(2) says is a regular file is read from.
#include "internal/image/pack.h"

#include "internal/base/buf.h"
#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/image/upper.h"
#include "internal/image/whiteout.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/xattr.h>

#define BLOCK       (256U << 10)
#define PIECES_MAX  60000 // of a sparse file: what bryo itself reads back
#define XATTR_NAMES (64U << 10)

struct pack {
    const struct pack_job *job;
    struct pack_stats *stats;
    struct archive *archive;
    struct archive_entry_linkresolver *links;
    char *block;
    char *zeros;
};

static int cannot_read(const struct upper_entry *e, int num, struct err *err)
{
    return err_sys(err, num, "cannot read what the job wrote at /%.300s", e->path);
}

// --- one member -------------------------------------------------------------------------------

// libarchive writes the two numbers side by side with a point between, which is another time where
// the seconds are negative. What lies within the second before 1970 it cannot write: that loses its
// fraction.
static void set_mtime(struct archive_entry *entry, const struct timespec *t)
{
    if (t->tv_sec >= 0 || t->tv_nsec == 0)
        archive_entry_set_mtime(entry, t->tv_sec, t->tv_nsec);
    else if (t->tv_sec == -1)
        archive_entry_set_mtime(entry, -1, 0);
    else
        archive_entry_set_mtime(entry, t->tv_sec + 1, 1000000000 - t->tv_nsec);
}

static struct archive_entry *new_entry(const struct pack *p, const struct upper_entry *e)
{
    struct archive_entry *entry = archive_entry_new();
    const struct stat *st = e->st;
    if (!entry)
        return NULL;
    archive_entry_copy_pathname(entry, e->path);
    archive_entry_set_mode(entry, st->st_mode);
    archive_entry_set_uid(entry, p->job->one_owner ? p->job->uid : st->st_uid);
    archive_entry_set_gid(entry, p->job->one_owner ? p->job->gid : st->st_gid);
    set_mtime(entry, &st->st_mtim);
    archive_entry_set_size(entry, S_ISREG(st->st_mode) ? st->st_size : 0);
    archive_entry_set_dev(entry, st->st_dev);
    archive_entry_set_ino64(entry, (la_int64_t)st->st_ino);
    archive_entry_set_nlink(entry, S_ISDIR(st->st_mode) ? 1 : (unsigned)st->st_nlink);
    return entry;
}

static int write_header(struct pack *p, struct archive_entry *entry, struct err *err)
{
    int r = archive_write_header(p->archive, entry);
    p->stats->entries++;
    // The one warning: a name that is not UTF-8 is written as the bytes that it is.
    return r == ARCHIVE_OK || r == ARCHIVE_WARN ? 0 : pack_failed(p->archive, err);
}

static int write_mark(struct pack *p, const char *path, struct err *err)
{
    struct archive_entry *entry = archive_entry_new();
    if (!entry)
        return err_sys(err, ENOMEM, "cannot write the tarball");
    archive_entry_copy_pathname(entry, path);
    archive_entry_set_mode(entry, S_IFREG | 0644);
    archive_entry_set_mtime(entry, 0, 0);
    archive_entry_set_size(entry, 0);
    int r = write_header(p, entry, err);
    archive_entry_free(entry);
    p->stats->whiteouts++;
    return r;
}

// What a user may set, and what is not overlayfs's own.
static void add_xattrs(int fd, struct archive_entry *entry)
{
    AUTO_FREE char *names = mem_alloc(XATTR_NAMES);
    AUTO_FREE char *value = mem_alloc(XATTR_SIZE_MAX);
    ssize_t n = flistxattr(fd, names, XATTR_NAMES);
    for (const char *at = names; n > 0 && at < names + n; at += strlen(at) + 1) {
        if (strncmp(at, "user.", 5) != 0 || strncmp(at, "user.overlay.", 13) == 0)
            continue;
        ssize_t size = fgetxattr(fd, at, value, XATTR_SIZE_MAX);
        if (size >= 0)
            archive_entry_xattr_add_entry(entry, at, value, (size_t)size);
    }
}

// --- data -------------------------------------------------------------------------------------

// Where a file has data, as far as the file system tells.
static int find_holes(const struct upper_entry *e, int fd, struct archive_entry *entry,
                      struct err *err)
{
    off_t size = e->st->st_size;
    off_t at = 0;
    int pieces = 0;
    if (e->st->st_blocks >= (size + 511) / 512)
        return 0;
    while (at < size) {
        off_t data = lseek(fd, at, SEEK_DATA);
        if (data < 0 && errno == ENXIO)
            break;
        off_t hole = data < 0 ? -1 : lseek(fd, data, SEEK_HOLE);
        if (hole < 0)
            return cannot_read(e, errno, err);
        if (hole > size)
            hole = size;
        archive_entry_sparse_add_entry(entry, data, hole - data);
        at = hole;
        if (++pieces > PIECES_MAX)
            return err_set(err, EFBIG, "/%.300s has more holes than a tarball can tell of",
                           e->path);
    }
    if (pieces == 0)
        archive_entry_sparse_add_entry(entry, 0, 0);
    return 0;
}

static int put(struct pack *p, const char *bytes, uint64_t n, struct err *err)
{
    while (n > 0) {
        size_t part = n < BLOCK ? (size_t)n : BLOCK;
        la_ssize_t w = archive_write_data(p->archive, bytes, part);
        if (w <= 0)
            return pack_failed(p->archive, err);
        // Of zeros any part is as good as another; real data comes in one block.
        if ((uint64_t)w < part && bytes != p->zeros)
            bytes += w;
        n -= (uint64_t)w;
    }
    return 0;
}

// libarchive wants all bytes of the file, those of holes too, and drops the latter unseen.
static int copy_piece(struct pack *p, const struct upper_entry *e, int fd, off_t at, off_t end,
                      struct err *err)
{
    while (at < end) {
        size_t want = end - at < (off_t)BLOCK ? (size_t)(end - at) : BLOCK;
        ssize_t n = pread(fd, p->block, want, at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return cannot_read(e, n < 0 ? errno : EIO, err);
        int r = put(p, p->block, (uint64_t)n, err);
        if (r < 0)
            return r;
        at += n;
    }
    return 0;
}

static int copy_data(struct pack *p, const struct upper_entry *e, int fd,
                     struct archive_entry *entry, struct err *err)
{
    off_t at = 0;
    la_int64_t data = 0;
    la_int64_t len = 0;
    int r = 0;
    if (archive_entry_sparse_reset(entry) == 0)
        return copy_piece(p, e, fd, 0, e->st->st_size, err);
    while (r == 0 && archive_entry_sparse_next(entry, &data, &len) == ARCHIVE_OK) {
        r = put(p, p->zeros, (uint64_t)(data - at), err);
        if (r == 0)
            r = copy_piece(p, e, fd, data, data + len, err);
        at = data + len;
    }
    return r < 0 ? r : put(p, p->zeros, (uint64_t)(e->st->st_size - at), err);
}

// --- kinds ------------------------------------------------------------------------------------

// Of several names of one file the first gets the data, the others are hard links to it.
static int write_linked(struct pack *p, const struct upper_entry *e, int fd,
                        struct archive_entry **entry, struct err *err)
{
    struct archive_entry *spare = NULL;
    archive_entry_linkify(p->links, entry, &spare);
    bool is_link = archive_entry_hardlink(*entry) != NULL;
    int r = fd >= 0 && !is_link ? find_holes(e, fd, *entry, err) : 0;
    if (r == 0)
        r = write_header(p, *entry, err);
    if (r < 0 || fd < 0 || is_link)
        return r;
    p->stats->bytes += (uint64_t)e->st->st_size;
    return copy_data(p, e, fd, *entry, err);
}

static int do_file(struct pack *p, const struct upper_entry *e, struct archive_entry **entry,
                   struct err *err)
{
    struct stat st;
    AUTO_FD int fd =
        openat(e->dirfd, e->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) < 0)
        return cannot_read(e, errno, err);
    if (!S_ISREG(st.st_mode) || st.st_ino != e->st->st_ino || st.st_size != e->st->st_size)
        return err_set(err, EAGAIN, "/%.300s changes while it is read", e->path);
    add_xattrs(fd, *entry);
    return write_linked(p, e, fd, entry, err);
}

static int do_link(struct pack *p, const struct upper_entry *e, struct archive_entry **entry,
                   struct err *err)
{
    char target[PATH_MAX];
    ssize_t n = readlinkat(e->dirfd, e->name, target, sizeof(target) - 1);
    if (n < 0)
        return cannot_read(e, errno, err);
    target[n] = '\0';
    archive_entry_copy_symlink(*entry, target);
    return write_linked(p, e, -1, entry, err);
}

static int do_dir(struct pack *p, const struct upper_entry *e, struct archive_entry *entry,
                  struct err *err)
{
    AUTO_FD int fd = openat(e->dirfd, e->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return cannot_read(e, errno, err);
    add_xattrs(fd, entry);
    int r = write_header(p, entry, err);
    if (r < 0 || e->mark != UPPER_OPAQUE)
        return r;
    AUTO_FREE char *path = str_fmt("%s/" WHITEOUT_OPAQUE_NAME, e->path);
    return write_mark(p, path, err);
}

static int do_whiteout(struct pack *p, const struct upper_entry *e, struct err *err)
{
    size_t dir = strlen(e->path) - strlen(e->name);
    AUTO_FREE char *path = str_fmt("%.*s" WHITEOUT_PREFIX "%s", (int)dir, e->path, e->name);
    return write_mark(p, path, err);
}

static int do_entry(void *ctx, const struct upper_entry *e, struct err *err)
{
    struct pack *p = ctx;
    const char *ignored;
    if (whiteout_of(e->name, &ignored) != WHITEOUT_NONE) {
        (void)err_set(err, EINVAL, "the job made /%.300s, which a layer would take for a whiteout",
                      e->path);
        return err_hint(err,
                        "names that begin with \".wh.\" cannot be in a layer: remove it first");
    }
    if (e->mark == UPPER_WHITEOUT)
        return do_whiteout(p, e, err);
    struct archive_entry *entry = new_entry(p, e);
    int r = 0;
    if (!entry)
        return err_sys(err, ENOMEM, "cannot write the tarball");
    if (S_ISREG(e->st->st_mode))
        r = do_file(p, e, &entry, err);
    else if (S_ISDIR(e->st->st_mode))
        r = do_dir(p, e, entry, err);
    else if (S_ISLNK(e->st->st_mode))
        r = do_link(p, e, &entry, err);
    else if (S_ISFIFO(e->st->st_mode))
        r = write_linked(p, e, -1, &entry, err);
    else
        p->stats->left_out++;
    archive_entry_free(entry);
    return r;
}

int pack_run(const struct pack_job *job, struct pack_stats *ret, struct err *err)
{
    struct pack p = {.job = job, .stats = ret};
    p.archive = pack_open_filter(&job->output, err);
    if (!p.archive)
        return -err->num;
    p.links = archive_entry_linkresolver_new();
    p.block = mem_alloc(BLOCK);
    p.zeros = mem_alloc(BLOCK);
    int r = 0;
    if (archive_write_set_format_pax(p.archive) != ARCHIVE_OK ||
        archive_write_open_fd(p.archive, job->output.fd) != ARCHIVE_OK)
        r = pack_failed(p.archive, err);
    if (r == 0 && !p.links)
        r = err_sys(err, ENOMEM, "cannot write the tarball");
    if (r == 0) {
        archive_entry_linkresolver_set_strategy(p.links, ARCHIVE_FORMAT_TAR_PAX_INTERCHANGE);
        r = upper_walk_scratch(job->scratch_fd, do_entry, &p, err);
    }
    if (r == 0 && archive_write_close(p.archive) != ARCHIVE_OK)
        r = pack_failed(p.archive, err);
    ret->output_bytes = (uint64_t)archive_filter_bytes(p.archive, -1);
    (void)archive_write_free(p.archive);
    if (p.links)
        archive_entry_linkresolver_free(p.links);
    free(p.block);
    free(p.zeros);
    return r;
}
