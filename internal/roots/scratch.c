// SPDX-License-Identifier: Apache-2.0
#include "internal/roots/scratch.h"

#include "internal/base/buf.h"
#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/base/fd.h"
#include "internal/base/fspath.h"
#include "internal/job/stage.h"
#include "internal/roots/host_tree.h"
#include "internal/roots/scratch_record.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define RECORD     "kept"
#define RECORD_MAX (8U << 20)

// overlayfs.rst, "Upper": a remote file system or another overlay cannot be one.
static bool cannot_be_upper(int fd)
{
    static const unsigned long magics[] = {OVERLAYFS_SUPER_MAGIC,
                                           NFS_SUPER_MAGIC,
                                           SMB_SUPER_MAGIC,
                                           0xff534d42 /* CIFS */,
                                           0xfe534d42 /* SMB2 */,
                                           V9FS_MAGIC,
                                           AFS_SUPER_MAGIC,
                                           MSDOS_SUPER_MAGIC,
                                           0x65735546 /* FUSE */,
                                           0x00c36400 /* CephFS */,
                                           0xf15f /* eCryptfs */};
    struct statfs fs;
    if (fstatfs(fd, &fs) < 0)
        return false;
    for (size_t i = 0; i < sizeof(magics) / sizeof(magics[0]); i++)
        if ((unsigned long)fs.f_type == magics[i])
            return true;
    return false;
}

static int open_parent(const char *bryo_dir, struct err *err)
{
    AUTO_FREE char *path = str_fmt("%s/scratch", bryo_dir);
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT) {
        int r = fspath_make_dirs(path, 0700);
        fd = r < 0 ? -1 : open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (r < 0)
            errno = -r;
    }
    if (fd < 0) {
        (void)err_sys(err, errno, "cannot use %s for scratch", path);
        (void)err_hint(err, "set XDG_CACHE_HOME to a directory where you may write");
        return err_stage(err, STAGE_SCRATCH);
    }
    return fd;
}

static int new_id(char id[17])
{
    unsigned char raw[6];
    if (getrandom(raw, sizeof(raw), 0) != (ssize_t)sizeof(raw))
        return -errno;
    for (size_t i = 0; i < sizeof(raw); i++)
        (void)snprintf(id + 2 * i, 3, "%02x", raw[i]);
    return 0;
}

// Makes and locks a directory with a new name. A sweep of another bryo may see it between the two
// and take it for a dead one: then it is gone, or about to be, and another name is tried.
static int make_locked(int parent, char id[17])
{
    for (int tries = 0; tries < 64; tries++) {
        int r = new_id(id);
        if (r < 0)
            return r;
        if (mkdirat(parent, id, 0755) < 0) {
            if (errno != EEXIST)
                return -errno;
            continue;
        }
        AUTO_FD int fd = openat(parent, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        struct stat st;
        if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0 && fstat(fd, &st) == 0 && st.st_nlink > 0)
            return TAKE_FD(fd);
    }
    return -EAGAIN;
}

int scratch_create(const char *bryo_dir, struct scratch *ret, struct err *err)
{
    AUTO_FD int parent = open_parent(bryo_dir, err);
    if (parent < 0)
        return parent;
    struct scratch s = {.parent = -1, .fd = make_locked(parent, s.id)};
    int r = s.fd < 0 ? s.fd : 0;
    if (r == 0 && (mkdirat(s.fd, "upper", 0755) < 0 || mkdirat(s.fd, "work", 0700) < 0)) {
        r = -errno;
        (void)fspath_remove_tree(parent, s.id);
        fd_closep(&s.fd);
    }
    if (r < 0) {
        (void)err_sys(err, -r, "cannot make a scratch directory in %s/scratch", bryo_dir);
        return err_stage(err, STAGE_SCRATCH);
    }
    s.on_tmpfs = cannot_be_upper(s.fd);
    s.path = str_fmt("%s/scratch/%s", bryo_dir, s.id);
    s.parent = TAKE_FD(parent);
    *ret = s;
    return 0;
}

void scratch_close(struct scratch *s)
{
    fd_closep(&s->fd);
    fd_closep(&s->parent);
    free_p(&s->path);
}

// overlayfs.rst, "Volatile mount": the mark keeps an upper layer from being used again after a
// crash. A scratch is never used again without a new work directory, so the mark says nothing here.
void scratch_forget_volatile(const struct scratch *s)
{
    if (s->on_tmpfs || fchmodat(s->fd, "work/work", 0700, 0) < 0 ||
        fchmodat(s->fd, "work/work/incompat", 0700, 0) < 0 ||
        fchmodat(s->fd, "work/work/incompat/volatile", 0700, 0) < 0)
        return;
    (void)unlinkat(s->fd, "work/work/incompat/volatile/dirty", 0);
    (void)unlinkat(s->fd, "work/work/incompat/volatile", AT_REMOVEDIR);
    (void)unlinkat(s->fd, "work/work/incompat", AT_REMOVEDIR);
}

void scratch_remove_empty(const struct scratch *s)
{
    static const char *const inner[] = {"work/work", "work", "upper"};
    for (size_t i = 0; !s->on_tmpfs && i < sizeof(inner) / sizeof(inner[0]); i++)
        (void)unlinkat(s->fd, inner[i], AT_REMOVEDIR);
}

int scratch_remove(struct scratch *s, const struct idmaps *maps, struct err *err)
{
    scratch_remove_empty(s);
    int r = host_tree_remove(maps, s->parent, s->id, err);
    scratch_close(s);
    return r;
}

int scratch_keep(struct scratch *s, const struct scratch_record *record, struct err *err)
{
    AUTO_BUF struct buf text = {0};
    scratch_record_format(record, &text);
    (void)unlinkat(s->fd, RECORD, 0);
    int r = fd_create_file(s->fd, RECORD, 0600, text.data, text.len);
    if (r == 0 && syncfs(s->fd) < 0)
        r = -errno;
    if (r < 0) {
        (void)err_sys(err, -r, "cannot keep %s", s->path);
        return err_stage(err, STAGE_SCRATCH);
    }
    return 0;
}

int scratch_read_record(int parent, const char *id, struct scratch_record *ret)
{
    AUTO_BUF struct buf text = {0};
    AUTO_FD int fd = openat(parent, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    int r = fd < 0 ? -errno : fd_read_file(fd, RECORD, RECORD_MAX, &text);
    return r < 0 ? r : scratch_record_parse(buf_str(&text), ret);
}

static bool is_id(const char *id)
{
    return strlen(id) == 12 && strspn(id, "0123456789abcdef") == 12;
}

// An overlay that was mounted "volatile" refuses its work directory a second time; it holds nothing
// that is needed.
static int renew_work(int fd)
{
    static const char *const names[] = {"work", "host"};
    int r = fspath_remove_tree(fd, names[0]);
    if (r == 0 && mkdirat(fd, names[0], 0700) < 0)
        r = -errno;
    AUTO_FD int host = openat(fd, names[1], O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (r < 0 || host < 0)
        return r;
    int again = dup(host);
    AUTO_DIR DIR *dir = again < 0 ? NULL : fdopendir(again);
    struct dirent *ent;
    while (dir && r == 0 && (ent = readdir(dir))) { // NOLINT(concurrency-mt-unsafe)
        if (ent->d_name[0] == '.')
            continue;
        AUTO_FD int sub = openat(host, ent->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (sub >= 0)
            r = fspath_remove_tree(sub, "work");
        if (sub >= 0 && r == 0 && mkdirat(sub, "work", 0700) < 0)
            r = -errno;
    }
    return r;
}

static int open_kept(const char *bryo_dir, const char *id, int lock, struct scratch *ret,
                     struct scratch_record *record, struct err *err)
{
    AUTO_FD int parent = open_parent(bryo_dir, err);
    if (parent < 0)
        return parent;
    AUTO_FD int fd =
        is_id(id) ? openat(parent, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1;
    AUTO_BUF struct buf text = {0};
    if (fd < 0 || fd_read_file(fd, RECORD, RECORD_MAX, &text) < 0) {
        (void)err_set(err, ENOENT, "there is no kept job %s in %s/scratch", id, bryo_dir);
        (void)err_hint(err,
                       "bryo prints the id of a job that it keeps (--keep, --keep-on-failure)");
    } else if (flock(fd, lock | LOCK_NB) < 0) {
        (void)err_set(err, EBUSY, "a job runs in %s already", id);
    } else if (scratch_record_parse(buf_str(&text), record) < 0) {
        (void)err_set(err, EINVAL, "the record of the kept job %s is damaged", id);
    } else {
        *ret = (struct scratch){.on_tmpfs = cannot_be_upper(fd)};
        memcpy(ret->id, id, 13);
        ret->path = str_fmt("%s/scratch/%s", bryo_dir, id);
        ret->fd = TAKE_FD(fd);
        ret->parent = TAKE_FD(parent);
        return 0;
    }
    return err_stage(err, STAGE_SCRATCH);
}

int scratch_look(const char *bryo_dir, const char *id, struct scratch *ret,
                 struct scratch_record *record, struct err *err)
{
    return open_kept(bryo_dir, id, LOCK_SH, ret, record, err);
}

int scratch_reopen(const char *bryo_dir, const char *id, struct scratch *ret,
                   struct scratch_record *record, struct err *err)
{
    int r = open_kept(bryo_dir, id, LOCK_EX, ret, record, err);
    if (r < 0)
        return r;
    r = renew_work(ret->fd);
    if (r == 0)
        return 0;
    scratch_close(ret);
    scratch_record_done(record);
    (void)err_sys(err, -r, "cannot prepare the kept job %s", id);
    return err_stage(err, STAGE_SCRATCH);
}

// Whether name is one that nobody holds and nobody wanted kept; it then stays locked in *ret_fd.
static bool is_dead(const struct scratch *own, const char *name, int *ret_fd)
{
    if (!is_id(name) || strcmp(name, own->id) == 0)
        return false;
    AUTO_FD int fd = openat(own->parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    // Asked before the lock, which would keep a --reuse that comes at this moment from its scratch;
    // and again under it, since the job may have ended in between and been kept.
    if (fd < 0 || faccessat(fd, RECORD, F_OK, 0) == 0 || flock(fd, LOCK_EX | LOCK_NB) < 0 ||
        faccessat(fd, RECORD, F_OK, 0) == 0)
        return false;
    *ret_fd = TAKE_FD(fd);
    return true;
}

static int each_dead(const struct scratch *own, const struct idmaps *remove_with)
{
    int count = 0;
    int again = openat(own->parent, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    AUTO_DIR DIR *dir = again < 0 ? NULL : fdopendir(again);
    struct dirent *ent;
    while (dir && (ent = readdir(dir))) { // NOLINT(concurrency-mt-unsafe)
        AUTO_FD int lock = -1;
        if (!is_dead(own, ent->d_name, &lock))
            continue;
        count++;
        if (!remove_with)
            break;
        (void)host_tree_remove(remove_with, own->parent, ent->d_name, NULL);
    }
    return count;
}

int scratch_find_dead(const struct scratch *own)
{
    return each_dead(own, NULL);
}

void scratch_sweep(const struct scratch *own, const struct idmaps *maps)
{
    (void)each_dead(own, maps);
}
