// SPDX-License-Identifier: Apache-2.0
// Making one file, link or FIFO below a directory that is held open.
//
// A name is made new, or not at all: O_EXCL, never O_TRUNC, so nothing that stands there is ever
// opened, followed or written through. What has to go is unlinked first.
#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/image/crc64.h"
#include "internal/image/manifest.h"
#include "internal/image/writer_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/xattr.h>
#include <unistd.h>

#define SPECIAL_BITS 07000U
#define MAX_IOV      64

void writer_state_init(struct writer_state *st)
{
    st->fd = -1;
}

void writer_state_done(struct writer_state *st)
{
    fd_closep(&st->fd);
    buf_done(&st->manifest);
}

static int fail_at(const struct task *t, int num, const char *doing, struct err *err)
{
    (void)err_sys(err, num, "cannot %s \"%s\"", doing, t->path);
    if (num == ENOSPC || num == EDQUOT)
        return err_hint(err,
                        "make room on the file system of the image store (bryo image prune), or"
                        " move it with XDG_CACHE_HOME");
    if (num == EEXIST)
        return err_hint(err, "the file system of the image store takes two names of the archive for"
                             " one (does it fold upper and lower case?)");
    if (num == ENAMETOOLONG)
        return err_hint(err, "the file system of the image store has no names that long");
    return -num;
}

int writer_set_xattrs(int fd, const struct xattr *x, uint64_t *skipped)
{
    for (; x; x = x->next) {
        if (fsetxattr(fd, x->name, x->value, x->size, 0) == 0)
            continue;
        // Not every file system has them, or has room for them. A file without is still the file.
        if (errno != ENOTSUP && errno != ENOSPC && errno != E2BIG && errno != ERANGE)
            return -errno;
        (*skipped)++;
    }
    return 0;
}

static void note(struct writer_state *st, const struct task *t, char type, uint64_t crc)
{
    struct manifest_entry e = {
        .seq = t->seq,
        .type = type,
        .mode = type == 'l' ? 0777 : t->meta.mode,
        .uid = t->meta.uid,
        .gid = t->meta.gid,
        .size = t->size,
        .has_mtime = true,
        .mtime_s = t->meta.times.mtime_s,
        .mtime_ns = t->meta.times.mtime_ns,
        .crc = crc,
        .path = t->path,
        .link = t->link,
    };
    manifest_add(&st->manifest, &e);
}

static void times_of(const struct file_meta *m, struct timespec ts[2])
{
    ts[0] = (struct timespec){m->times.atime_s, m->times.atime_ns};
    ts[1] = (struct timespec){m->times.mtime_s, m->times.mtime_ns};
}

// --- files ------------------------------------------------------------------------------------

static int write_vector(int fd, struct iovec *iov, int n)
{
    while (n > 0) {
        ssize_t w = writev(fd, iov, n);
        if (w < 0) {
            if (errno == EINTR)
                continue;
            return -errno;
        }
        while (n > 0 && (size_t)w >= iov->iov_len) {
            w -= (ssize_t)iov->iov_len;
            iov++;
            n--;
        }
        if (n > 0) {
            iov->iov_base = (char *)iov->iov_base + w;
            iov->iov_len -= (size_t)w;
        }
    }
    return 0;
}

// Pieces come in ascending order; where one does not begin at the end of the one before, there is a
// hole.
static int write_pieces(struct writer_state *st, const struct task *t)
{
    size_t i = 0;
    while (i < t->n_pieces) {
        struct iovec iov[MAX_IOV];
        int n = 0;
        if (t->pieces[i].offset != st->at) {
            st->crc = crc64_add_zeros(st->crc, t->pieces[i].offset - st->at);
            st->at = t->pieces[i].offset;
            if (lseek(st->fd, (off_t)st->at, SEEK_SET) < 0)
                return -errno;
        }
        for (; i < t->n_pieces && n < MAX_IOV && t->pieces[i].offset == st->at; i++) {
            const struct piece *p = &t->pieces[i];
            iov[n++] = (struct iovec){p->at, p->len};
            st->crc = crc64_add(st->crc, p->at, p->len);
            st->at += p->len;
        }
        int r = write_vector(st->fd, iov, n);
        if (r < 0)
            return r;
    }
    st->bytes += t->bytes;
    return 0;
}

static int finish_file(struct writer_state *st, const struct file_meta *m, uint64_t size)
{
    struct timespec ts[2];
    if (st->at < size) {
        st->crc = crc64_add_zeros(st->crc, size - st->at);
        if (ftruncate(st->fd, (off_t)size) < 0)
            return -errno;
    }
    // The owner before the mode: a change of owner takes set-user-ID away.
    if ((m->uid != 0 || m->gid != 0) && fchown(st->fd, m->uid, m->gid) < 0)
        return -errno;
    if ((m->mode & SPECIAL_BITS) && fchmod(st->fd, m->mode) < 0)
        return -errno;
    if (m->xattrs) {
        int r = writer_set_xattrs(st->fd, m->xattrs, &st->skipped_xattrs);
        if (r < 0)
            return r;
    }
    times_of(m, ts);
    return futimens(st->fd, ts) < 0 ? -errno : 0;
}

static int open_file(struct writer_state *st, const struct task *t, struct err *err)
{
    int dir = t->dir->fd;
    if (t->replace && unlinkat(dir, t->name, 0) < 0)
        return fail_at(t, errno, "replace", err);
    st->fd = openat(dir, t->name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC,
                    t->meta.mode & ~SPECIAL_BITS);
    if (st->fd < 0)
        return fail_at(t, errno, "create", err);
    st->at = 0;
    st->crc = 0;
    return 0;
}

// A file that comes in several tasks: what is needed at its end comes with each of them.
static int do_file(struct writer_state *st, struct task *t, struct err *err)
{
    int r = t->kind == TASK_FILE ? open_file(st, t, err) : 0;
    if (r < 0)
        return r;
    r = write_pieces(st, t);
    if (r == 0 && t->last)
        r = finish_file(st, &t->meta, t->size);
    if (r < 0) {
        fd_closep(&st->fd);
        return fail_at(t, -r, "write", err);
    }
    if (t->last) {
        int fd = TAKE_FD(st->fd);
        if (close(fd) < 0 && errno != EINTR) // NFS and quotas report here
            return fail_at(t, errno, "write", err);
        note(st, t, 'f', st->crc);
    }
    return 0;
}

// --- what has no data -------------------------------------------------------------------------

static int set_owner_and_times(const struct task *t, bool mode)
{
    const struct file_meta *m = &t->meta;
    struct timespec ts[2];
    int dir = t->dir->fd;
    if ((m->uid != 0 || m->gid != 0) &&
        fchownat(dir, t->name, m->uid, m->gid, AT_SYMLINK_NOFOLLOW) < 0)
        return -errno;
    // Only for a FIFO that was made a moment ago in a directory where nobody else writes.
    if (mode && (m->mode & SPECIAL_BITS) && fchmodat(dir, t->name, m->mode, 0) < 0)
        return -errno;
    times_of(m, ts);
    return utimensat(dir, t->name, ts, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
}

static int do_node(struct writer_state *st, struct task *t, struct err *err)
{
    int dir = t->dir->fd;
    if (t->replace && unlinkat(dir, t->name, 0) < 0)
        return fail_at(t, errno, "replace", err);
    bool link = t->kind == TASK_SYMLINK;
    int r = link ? symlinkat(t->link, dir, t->name)
                 : mknodat(dir, t->name, S_IFIFO | (t->meta.mode & ~SPECIAL_BITS), 0);
    r = r < 0 ? -errno : set_owner_and_times(t, !link);
    if (r < 0)
        return fail_at(t, -r, link ? "make the link" : "make the FIFO", err);
    note(st, t, link ? 'l' : 'p', 0);
    return 0;
}

int writer_do(struct writer_state *st, struct task *t, struct err *err)
{
    switch (t->kind) {
    case TASK_FILE:
    case TASK_MORE:
        return do_file(st, t, err);
    default:
        return do_node(st, t, err);
    }
}
