// SPDX-License-Identifier: Apache-2.0
// The file is looked up as the caller would: from its directory, below its root, by the kernel, in
// the job's user namespace, where this process may do no more than the job's root. What it does to
// the file itself is what the caller asked for, as far as one id goes.
#include "internal/fake/host_fake_files.h"

#include "internal/base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/stat.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define KEY_MASK (STATX_BASIC_STATS | STATX_BTIME)

// A call of the family as its most general member has it.
struct place {
    int dirfd;
    uint64_t path; // 0: dirfd itself
    int flags;     // AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH and what statx(2) has besides
};

struct found {
    char path[PATH_MAX];
    int dir; // O_PATH; "" with AT_EMPTY_PATH in flags: the file itself
    int flags;
};

static void found_done(struct found *f)
{
    fd_closep(&f->dir);
}

// /proc/self means another process here: the few names that programs use for what they hold open.
static int own_descriptor(const char *path)
{
    static const char *const prefixes[] = {"/proc/self/fd/", "/dev/fd/"};
    static const char *const names[] = {"/dev/stdin", "/dev/stdout", "/dev/stderr"};
    int fd = 0;
    char rest;
    for (int i = 0; i < 3; i++)
        if (strcmp(path, names[i]) == 0)
            return i;
    for (int i = 0; i < 2; i++) {
        size_t n = strlen(prefixes[i]);
        if (strncmp(path, prefixes[i], n) == 0 && strlen(path + n) < 10 &&
            sscanf(path + n, "%d%c", &fd, &rest) == 1) // NOLINT(cert-err34-c): bounded above
            return fd;
    }
    return -1;
}

static int find(struct fake_calls *f, const struct seccomp_notif *req, const struct place *p,
                struct found *ret)
{
    struct fake_server *s = &f->server;
    ret->dir = -1;
    ret->path[0] = '\0';
    ret->flags = p->flags & (AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH);
    int r = fake_task_join(s, req);
    if (r == 0 && p->path)
        r = fake_task_string(s, req, p->path, ret->path);
    if (r == 0 && ret->path[0])
        r = fake_task_enter(s, req);
    if (r < 0)
        return r;
    int fd = p->dirfd;
    int own = p->flags & AT_SYMLINK_NOFOLLOW ? -1 : own_descriptor(ret->path);
    if (own >= 0) {
        fd = own;
        ret->path[0] = '\0';
        ret->flags |= AT_EMPTY_PATH;
    }
    if (ret->path[0] == '/')
        return 0; // dir is not looked at
    ret->dir = fake_task_dir(s, req, fd);
    return ret->dir < 0 ? ret->dir : 0;
}

static void key_of(const struct statx *sx, struct fake_file *ret)
{
    ret->dev = (uint64_t)sx->stx_dev_major << 32 | sx->stx_dev_minor;
    ret->ino = sx->stx_ino;
    ret->birth_ns = sx->stx_mask & STATX_BTIME
                        ? (uint64_t)sx->stx_btime.tv_sec * 1000000000U + sx->stx_btime.tv_nsec
                        : 0;
}

static int look(int dir, const char *path, int flags, struct fake_entry *ret)
{
    struct statx sx;
    if (statx(dir, path, flags | AT_NO_AUTOMOUNT, KEY_MASK, &sx) < 0)
        return -errno;
    *ret = (struct fake_entry){.uid = sx.stx_uid, .gid = sx.stx_gid};
    key_of(&sx, &ret->file);
    return 0;
}

// A full table: it is pretended, and forgotten.
static void keep(struct fake_calls *f, const struct fake_entry *e)
{
    fake_calls_tell(f);
    (void)fake_table_put(&f->files, e);
}

// --- chown ---------------------------------------------------------------------------------------

// What of the request one id can do.
static uint32_t possible(uint32_t wanted, uint32_t have)
{
    return wanted == have ? wanted : FAKEIDS_KEEP;
}

// To the one id that there is, from the same.
static bool stays(uint32_t wanted, uint32_t is, uint32_t have)
{
    return wanted == FAKEIDS_KEEP || (wanted == is && is == have);
}

static int change(struct fake_calls *f, const struct seccomp_notif *req, int fd, uint32_t uid,
                  uint32_t gid)
{
    struct fake_ids ids;
    struct fake_entry is;
    int r = look(fd, "", AT_EMPTY_PATH, &is);
    if (r < 0)
        return r;
    const struct fake_entry *before = fake_table_find(&f->files, &is.file);
    struct fake_entry want = before ? *before : is;
    // What most packages are unpacked with: to root what is root's. The kernel's own answer is
    // right.
    if (!before && stays(uid, is.uid, f->server.uid) && stays(gid, is.gid, f->server.gid) &&
        !fake_task_ids(&f->server, req, &ids))
        return -FAKE_GO_ON;
    fake_task_ids_or_own(&f->server, req, &ids);
    r = fakeids_may_chown(&ids, want.uid, want.gid, uid, gid,
                          fake_task_can(&f->server, req, CAP_CHOWN));
    if (r < 0)
        return r;
    want.uid = uid == FAKEIDS_KEEP ? want.uid : uid;
    want.gid = gid == FAKEIDS_KEEP ? want.gid : gid;
    // The kernel's part: the time of change, suid bits, a file system that is read-only; on an
    // overlay the copy that gets the numbers which the file has from then on.
    if (fchownat(fd, "", possible(uid, f->server.uid), possible(gid, f->server.gid),
                 AT_EMPTY_PATH) < 0 &&
        errno != EPERM && errno != EINVAL && errno != EOVERFLOW)
        return -errno;
    r = look(fd, "", AT_EMPTY_PATH, &is);
    if (r < 0)
        return r;
    want.file = is.file;
    if (want.type == 0 && want.uid == is.uid && want.gid == is.gid)
        fake_table_drop(&f->files, &is.file);
    else
        keep(f, &want);
    return 0;
}

static int do_chown(struct fake_calls *f, const struct seccomp_notif *req, const struct place *p,
                    uint32_t uid, uint32_t gid)
{
    struct found at __attribute__((cleanup(found_done)));
    int r = find(f, req, p, &at);
    if (r == -EPERM && f->server.cannot)
        return 0; // without a way to look at files there is nothing but to say yes
    if (r < 0)
        return r;
    if (at.path[0] == '\0')
        return at.flags & AT_EMPTY_PATH ? change(f, req, at.dir, uid, gid) : -ENOENT;
    int follow = at.flags & AT_SYMLINK_NOFOLLOW ? O_NOFOLLOW : 0;
    AUTO_FD int fd = openat(at.dir, at.path, O_PATH | O_CLOEXEC | follow);
    return fd < 0 ? -errno : change(f, req, fd, uid, gid);
}

// --- mknod ---------------------------------------------------------------------------------------

static int do_mknod(struct fake_calls *f, const struct seccomp_notif *req, const struct place *p,
                    uint32_t mode, uint32_t dev)
{
    struct found at __attribute__((cleanup(found_done)));
    struct fake_ids ids;
    struct fake_entry e;
    if (dev == 0)
        return -FAKE_GO_ON; // overlayfs's whiteout, which a user namespace may make
    int r = find(f, req, p, &at);
    if (r < 0)
        return r == -EPERM && f->server.cannot ? -FAKE_GO_ON : r;
    fake_task_ids_or_own(&f->server, req, &ids);
    // CAP_MKNOD itself no job has.
    if (ids.uid.effective != 0 || !fake_task_can(&f->server, req, CAP_CHOWN))
        return -EPERM;
    mode_t perm = mode & 07777 & ~fake_task_umask(&f->server, req);
    if (mknodat(at.dir, at.path, S_IFREG | perm, 0) < 0)
        return -errno;
    r = look(at.dir, at.path, AT_SYMLINK_NOFOLLOW, &e);
    if (r < 0)
        return r;
    e.type = mode & S_IFMT;
    e.rdev = dev;
    keep(f, &e);
    return 0;
}

// --- stat ----------------------------------------------------------------------------------------

// What is to be shown of a file that shows as is; false: just that.
static bool pretended(const struct fake_calls *f, const struct fake_entry *is,
                      const struct fake_ids *ids, struct fake_entry *ret)
{
    const struct fake_entry *e = fake_table_find(&f->files, &is->file);
    if (e) {
        *ret = *e;
        return true;
    }
    *ret = *is;
    if (!ids)
        return false;
    // To whoever passes for another, the job's files are its own: what it made itself is among
    // them.
    if (is->uid == f->server.uid)
        ret->uid = ids->uid.fs;
    if (is->gid == f->server.gid)
        ret->gid = ids->gid.fs;
    return ret->uid != is->uid || ret->gid != is->gid;
}

static int fill_stat(struct fake_calls *f, const struct seccomp_notif *req, const struct found *at,
                     const struct fake_entry *e, uint64_t address)
{
    struct stat st;
    if (syscall(SYS_newfstatat, at->dir, at->path, &st, at->flags) < 0)
        return -FAKE_GO_ON;
    st.st_uid = e->uid;
    st.st_gid = e->gid;
    if (e->type) {
        st.st_mode = e->type | (st.st_mode & 07777);
        st.st_rdev = e->rdev;
    }
    return fake_task_write(&f->server, req, address, &st, sizeof(st));
}

static int fill_statx(struct fake_calls *f, const struct seccomp_notif *req, const struct found *at,
                      const struct fake_entry *e)
{
    struct statx sx;
    const __u64 *a = req->data.args;
    int sync = (int)a[2] & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH);
    if (syscall(SYS_statx, at->dir, at->path, at->flags | sync, (unsigned)a[3], &sx) < 0)
        return -FAKE_GO_ON;
    sx.stx_uid = e->uid;
    sx.stx_gid = e->gid;
    if (e->type) {
        sx.stx_mode = (uint16_t)(e->type | (sx.stx_mode & 07777));
        sx.stx_rdev_major = major(e->rdev);
        sx.stx_rdev_minor = minor(e->rdev);
    }
    return fake_task_write(&f->server, req, a[4], &sx, sizeof(sx));
}

static int do_stat(struct fake_calls *f, const struct seccomp_notif *req, const struct place *p,
                   uint64_t address)
{
    struct found at __attribute__((cleanup(found_done)));
    struct fake_entry is = {0};
    struct fake_entry show;
    struct fake_ids ids;
    at.dir = -1;
    bool has_ids = fake_task_ids(&f->server, req, &ids);
    if (f->files.n == 0 && !has_ids)
        return -FAKE_GO_ON;
    // Whatever goes wrong, the kernel says it better.
    if (find(f, req, p, &at) < 0 || look(at.dir, at.path, at.flags, &is) < 0 ||
        !pretended(f, &is, has_ids ? &ids : NULL, &show))
        return -FAKE_GO_ON;
    return req->data.nr == SYS_statx ? fill_statx(f, req, &at, &show)
                                     : fill_stat(f, req, &at, &show, address);
}

int fake_files_answer(struct fake_calls *f, const struct seccomp_notif *req,
                      struct seccomp_notif_resp *resp)
{
    const __u64 *a = req->data.args;
    struct place p = {.dirfd = AT_FDCWD, .path = a[0]};
    struct place at = {.dirfd = (int)a[0], .path = a[1]};
    (void)resp;
    switch (req->data.nr) {
#ifdef SYS_chown
    case SYS_lchown:
        p.flags = AT_SYMLINK_NOFOLLOW;
        return do_chown(f, req, &p, (uint32_t)a[1], (uint32_t)a[2]);
    case SYS_chown:
        return do_chown(f, req, &p, (uint32_t)a[1], (uint32_t)a[2]);
    case SYS_mknod:
        return do_mknod(f, req, &p, (uint32_t)a[1], (uint32_t)a[2]);
    case SYS_lstat:
        p.flags = AT_SYMLINK_NOFOLLOW;
        return do_stat(f, req, &p, a[1]);
    case SYS_stat:
        return do_stat(f, req, &p, a[1]);
#endif
    case SYS_fstat:
        at = (struct place){.dirfd = (int)a[0], .flags = AT_EMPTY_PATH};
        return do_stat(f, req, &at, a[1]);
    case SYS_fchown:
        at = (struct place){.dirfd = (int)a[0], .flags = AT_EMPTY_PATH};
        return do_chown(f, req, &at, (uint32_t)a[1], (uint32_t)a[2]);
    case SYS_fchownat:
        at.flags = (int)a[4];
        return do_chown(f, req, &at, (uint32_t)a[2], (uint32_t)a[3]);
    case SYS_mknodat:
        return do_mknod(f, req, &at, (uint32_t)a[2], (uint32_t)a[3]);
    case SYS_newfstatat:
        at.flags = (int)a[3];
        return do_stat(f, req, &at, a[2]);
    case SYS_statx:
        at.flags = (int)a[2];
        return do_stat(f, req, &at, 0);
    default:
        return -FAKE_GO_ON;
    }
}
