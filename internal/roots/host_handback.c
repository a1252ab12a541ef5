// SPDX-License-Identifier: Apache-2.0
// Two passes. The first, as the user, ends at the first file that is not the user's: mostly there
// is none. The second is made as root of a user namespace in which the user is root and each
// subordinate id has a name. Neither follows a link, so that what a job that still runs may move
// about leads nowhere else; all that can happen to a file is that it becomes the user's.
#include "internal/roots/host_handback.h"

#include "internal/base/buf.h"
#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/base/sys.h"
#include "internal/job/idmap.h"
#include "internal/job/stage.h"
#include "internal/sandbox/userns.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct level {
    struct strv dirs; // names of directories that were not entered yet, from next on
    size_t next;
    dev_t dev;
    ino_t ino;
};

struct pass {
    const struct handback *h;
    struct handback_result *result; // shared with the child that makes the second pass
    bool inside;
    bool over; // the first pass has found something
    struct stat store;
    int fd; // the directory in which the walk is
    struct level *levels;
    size_t depth;
};

static bool is_later(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec != b->tv_sec ? a->tv_sec > b->tv_sec : a->tv_nsec >= b->tv_nsec;
}

static bool is_foreign(const struct pass *p, const struct idmap *map, uint32_t id, uint32_t own)
{
    uint32_t inside;
    if (p->inside)
        return id != 0 && id != IDMAP_OVERFLOW_ID;
    return id != own && idmap_to_inside(map, id, &inside);
}

// A group that is not mapped keeps root of the namespace from the file: its owner may change that.
static int give(int dirfd, const char *name, uid_t owner, uid_t uid, gid_t gid)
{
    int flags = AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH;
    if (fchownat(dirfd, name, uid, gid, flags) == 0)
        return 0;
    if (errno != EPERM || uid == (uid_t)-1)
        return -errno;
    (void)setfsuid(owner);
    int r = fchownat(dirfd, name, (uid_t)-1, 0, flags) < 0 ? -errno : 0;
    (void)setfsuid(0);
    return r == 0 && fchownat(dirfd, name, uid, gid, flags) < 0 ? -errno : r;
}

static void visit(struct pass *p, int dirfd, const char *name, const struct stat *st)
{
    bool uid = is_foreign(p, &p->h->maps->uid, st->st_uid, geteuid());
    bool gid = is_foreign(p, &p->h->maps->gid, st->st_gid, getegid());
    if ((!uid && !gid) || !is_later(&st->st_ctim, &p->h->since))
        return;
    if (!p->inside) {
        p->over = true;
        return;
    }
    int r = give(dirfd, name, st->st_uid, uid ? 0 : (uid_t)-1, gid || uid ? 0 : (gid_t)-1);
    if (r < 0) {
        p->result->left++;
        return;
    }
    p->result->n++;
    if (S_ISDIR(st->st_mode) && (st->st_mode & 0700) != 0700) {
        AUTO_FD int fd =
            sys_openat2(dirfd, *name ? name : ".", O_RDONLY | O_DIRECTORY, 0, RESOLVE_NO_SYMLINKS);
        if (fd >= 0)
            (void)fchmod(fd, (st->st_mode & 07777) | 0700);
    }
}

// Looks at all that is in the directory, and notes the directories among it.
static void read_level(struct pass *p)
{
    struct level *l = &p->levels[p->depth];
    int again = openat(p->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (again < 0)
        return;
    AUTO_DIR DIR *dir = fdopendir(again);
    if (!dir) {
        (void)close(again);
        return;
    }
    struct dirent *ent;
    while (!p->over && (ent = readdir(dir))) { // NOLINT(concurrency-mt-unsafe): a stream of our own
        struct stat st;
        if (strcmp(ent->d_name, ".") == 0 || strcmp(ent->d_name, "..") == 0 ||
            fstatat(p->fd, ent->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 || st.st_dev != l->dev)
            continue;
        if (st.st_ino == p->store.st_ino && st.st_dev == p->store.st_dev)
            continue;
        visit(p, p->fd, ent->d_name, &st);
        if (S_ISDIR(st.st_mode))
            strv_add(&l->dirs, ent->d_name);
    }
}

static void go_to(struct pass *p, int fd)
{
    fd_closep(&p->fd);
    p->fd = fd;
}

// However deep the tree is, one descriptor is held. The way back up is by ".."; when that leads
// elsewhere, somebody has moved the directory meanwhile, and the walk ends there.
static bool go_up(struct pass *p)
{
    struct stat st;
    if (p->depth == 0)
        return false;
    strv_done(&p->levels[p->depth--].dirs);
    AUTO_FD int up = openat(p->fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
    const struct level *l = &p->levels[p->depth];
    if (up < 0 || fstat(up, &st) < 0 || st.st_dev != l->dev || st.st_ino != l->ino)
        return false;
    go_to(p, TAKE_FD(up));
    return true;
}

static void push(struct pass *p, const struct stat *st)
{
    if (p->depth % 64 == 0)
        p->levels = mem_grow(p->levels, p->depth + 64, sizeof(*p->levels));
    p->levels[p->depth] = (struct level){.dev = st->st_dev, .ino = st->st_ino};
    read_level(p);
}

static void walk(struct pass *p, const struct stat *top)
{
    push(p, top);
    for (bool on = true; on && !p->over;) {
        struct level *l = &p->levels[p->depth];
        if (l->next == l->dirs.n) {
            on = go_up(p);
            continue;
        }
        struct stat st;
        AUTO_FD int fd = sys_openat2(p->fd, l->dirs.v[l->next++], O_RDONLY | O_DIRECTORY, 0,
                                     RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV);
        if (fd < 0 || fstat(fd, &st) < 0)
            continue;
        go_to(p, TAKE_FD(fd));
        p->depth++;
        push(p, &st);
    }
    for (size_t i = 0; i <= p->depth; i++)
        strv_done(&p->levels[i].dirs);
    free(p->levels);
}

static int make_pass(struct pass *p, struct err *err)
{
    struct stat st;
    p->fd = open(p->h->dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (p->fd < 0 || fstat(p->fd, &st) < 0)
        return err_sys(err, errno, "cannot look into %s", p->h->dir);
    if (!p->h->store || stat(p->h->store, &p->store) < 0)
        p->store = (struct stat){0};
    visit(p, p->fd, "", &st);
    if (!p->over)
        walk(p, &st);
    fd_closep(&p->fd);
    return 0;
}

static int second_pass(void *ctx, struct err *err)
{
    struct pass *p = ctx;
    p->inside = true;
    p->over = false;
    return make_pass(p, err);
}

// No subordinate id gets the name that means none.
static void add_around_overflow(struct idmap *map, uint64_t *next, uint64_t first, uint64_t count)
{
    while (count) {
        if (*next == IDMAP_OVERFLOW_ID)
            ++*next;
        uint64_t n = *next<IDMAP_OVERFLOW_ID && * next + count> IDMAP_OVERFLOW_ID
                         ? IDMAP_OVERFLOW_ID - *next
                         : count;
        idmap_add(map, (uint32_t)*next, (uint32_t)first, (uint32_t)n);
        *next += n;
        first += n;
        count -= n;
    }
}

// own is 0, the others follow.
static void rename_ids(const struct idmap *from, uint32_t own, struct idmap *ret)
{
    uint64_t next = 1;
    idmap_add(ret, 0, own, 1);
    for (size_t i = 0; i < from->n; i++) {
        uint64_t first = from->ext[i].outside;
        uint64_t count = from->ext[i].count;
        bool held = own >= first && own < first + count;
        add_around_overflow(ret, &next, first, held ? own - first : count);
        if (held)
            add_around_overflow(ret, &next, own + 1ULL, first + count - own - 1);
    }
}

int host_handback(const struct handback *h, struct handback_result *ret, struct err *err)
{
    *ret = (struct handback_result){0};
    if (h->maps->kind != IDMAP_SUBIDS)
        return 0;
    struct pass p = {.h = h, .fd = -1};
    int r = make_pass(&p, err);
    if (r < 0 || !p.over)
        return r;
    AUTO_IDMAPS struct idmaps maps = {.kind = h->maps->kind};
    rename_ids(&h->maps->uid, geteuid(), &maps.uid);
    rename_ids(&h->maps->gid, getegid(), &maps.gid);
    p = (struct pass){.h = h, .fd = -1};
    p.result = mmap(NULL, sizeof(*ret), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (p.result == MAP_FAILED)
        return err_sys(err, errno, "cannot share memory with a helper process");
    struct userns_task task;
    int status = 0;
    r = userns_start(&maps, 0, second_pass, &p, &task, err);
    if (r == 0)
        r = userns_finish(&task, &status, err);
    if (r == 0 && status != 0)
        r = err_set(err, EIO, "giving back the files in %s ended early", h->dir);
    *ret = *p.result;
    (void)munmap(p.result, sizeof(*ret));
    return r;
}
