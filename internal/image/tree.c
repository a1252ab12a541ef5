// SPDX-License-Identifier: Apache-2.0
#include "internal/image/tree.h"

#include "internal/base/buf.h"
#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/base/sys.h"
#include "internal/image/siphash.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

// Descriptors kept open; a tree's working set is the path from the root and what writers hold.
#define N_SLOTS 256U
#define NO_SLOT UINT16_MAX

// Only single names are opened, below a directory that is open; the flags say so to the kernel too.
#define ONE_STEP (RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV)

// One name. The hash is keyed with random bytes, so that nobody can choose names that collide.
struct name {
    uint64_t hash; // 0: empty
    uint32_t dir;  // TREE_DIR: its number
    uint8_t kind;
};

struct dir {
    struct tree_final final;
    uint32_t parent;
    uint32_t name; // offset in names
    uint16_t slot;
    bool has_final;
    bool gone;
};

struct tree {
    uint64_t key[2];
    struct name *table;
    size_t size; // a power of two
    size_t used;
    struct dir *dirs;
    size_t n_dirs;
    size_t cap_dirs;
    struct buf names;
    struct tree_dir slots[N_SLOTS];
    uint64_t clock;
};

int tree_new(int root_fd, struct tree **ret, struct err *err)
{
    struct tree *t = mem_alloc(sizeof(*t));
    if (getrandom(t->key, sizeof(t->key), 0) != (ssize_t)sizeof(t->key)) {
        free(t);
        return err_sys(err, errno, "cannot get random bytes");
    }
    t->size = 1024;
    t->table = mem_alloc(t->size * sizeof(*t->table));
    t->cap_dirs = 64;
    t->dirs = mem_alloc(t->cap_dirs * sizeof(*t->dirs));
    for (unsigned i = 0; i < N_SLOTS; i++)
        t->slots[i].fd = -1;
    // The root is never closed, and so never opened by a name.
    t->slots[0] = (struct tree_dir){.fd = root_fd, .dir = TREE_ROOT, .refs = 1};
    t->n_dirs = 1;
    buf_addc(&t->names, '\0');
    *ret = t;
    return 0;
}

void tree_free(struct tree *t)
{
    if (!t)
        return;
    for (unsigned i = 1; i < N_SLOTS; i++)
        if (t->slots[i].fd >= 0)
            (void)close(t->slots[i].fd);
    buf_done(&t->names);
    free(t->dirs);
    free(t->table);
    free(t);
}

static uint64_t hash_name(const struct tree *t, uint32_t dir, const char *name, size_t n)
{
    uint64_t h = siphash(t->key[0] ^ dir, t->key[1], name, n);
    return h ? h : 1;
}

static struct name *slot_of(const struct tree *t, uint64_t hash)
{
    size_t i = hash & (t->size - 1);
    while (t->table[i].hash && t->table[i].hash != hash)
        i = (i + 1) & (t->size - 1);
    return &t->table[i];
}

static void grow(struct tree *t)
{
    struct name *old = t->table;
    size_t n = t->size;
    t->size *= 2;
    t->table = mem_alloc(t->size * sizeof(*t->table));
    for (size_t i = 0; i < n; i++)
        if (old[i].hash)
            *slot_of(t, old[i].hash) = old[i];
    free(old);
}

enum tree_kind tree_find(const struct tree *t, uint32_t dir, const char *name, size_t n)
{
    return (enum tree_kind)slot_of(t, hash_name(t, dir, name, n))->kind;
}

uint32_t tree_find_dir(const struct tree *t, uint32_t dir, const char *name, size_t n)
{
    return slot_of(t, hash_name(t, dir, name, n))->dir;
}

static struct name *put(struct tree *t, uint32_t dir, const char *name, size_t n)
{
    if (t->used * 4 >= t->size * 3)
        grow(t);
    uint64_t hash = hash_name(t, dir, name, n);
    struct name *e = slot_of(t, hash);
    if (!e->hash) {
        e->hash = hash;
        t->used++;
    }
    return e;
}

static void close_slot(struct tree *t, struct tree_dir *d)
{
    if (d->fd < 0)
        return;
    t->dirs[d->dir].slot = NO_SLOT;
    (void)close(d->fd);
    d->fd = -1;
}

// All below a directory that goes away is found by its number, which nobody asks for any more; only
// its own time must not be set.
static void forget_dir(struct tree *t, uint32_t dir)
{
    t->dirs[dir].gone = true;
    if (t->dirs[dir].slot != NO_SLOT)
        close_slot(t, &t->slots[t->dirs[dir].slot]);
}

void tree_set(struct tree *t, uint32_t dir, const char *name, size_t n, enum tree_kind kind)
{
    struct name *e = put(t, dir, name, n);
    if (e->kind == TREE_DIR)
        forget_dir(t, e->dir);
    e->kind = (uint8_t)kind;
}

uint32_t tree_add_dir(struct tree *t, uint32_t parent, const char *name, size_t n)
{
    if (t->n_dirs == t->cap_dirs) {
        t->cap_dirs *= 2;
        t->dirs = mem_grow(t->dirs, t->cap_dirs, sizeof(*t->dirs));
    }
    uint32_t number = (uint32_t)t->n_dirs++;
    t->dirs[number] =
        (struct dir){.parent = parent, .name = (uint32_t)t->names.len, .slot = NO_SLOT};
    buf_add(&t->names, name, n);
    buf_addc(&t->names, '\0');
    struct name *e = put(t, parent, name, n);
    e->kind = TREE_DIR;
    e->dir = number;
    return number;
}

bool tree_has_dir(const struct tree *t, uint32_t dir)
{
    while (dir != TREE_ROOT && !t->dirs[dir].gone)
        dir = t->dirs[dir].parent;
    return dir == TREE_ROOT;
}

void tree_dir_path(const struct tree *t, uint32_t dir, struct buf *out)
{
    if (dir == TREE_ROOT)
        return;
    tree_dir_path(t, t->dirs[dir].parent, out); // no deeper than PATH_MAX allows
    if (out->len)
        buf_addc(out, '/');
    buf_adds(out, t->names.data + t->dirs[dir].name);
}

static struct tree_dir *free_slot(struct tree *t)
{
    struct tree_dir *best = NULL;
    for (unsigned i = 1; i < N_SLOTS; i++) {
        struct tree_dir *d = &t->slots[i];
        if (d->fd < 0)
            return d;
        if (d->refs == 0 && (!best || d->used < best->used))
            best = d;
    }
    if (best)
        close_slot(t, best);
    return best;
}

static struct tree_dir *hold(struct tree *t, uint32_t dir)
{
    struct tree_dir *d = &t->slots[t->dirs[dir].slot];
    d->refs++;
    d->used = ++t->clock;
    return d;
}

// Opens a directory below one that is open and held.
static struct tree_dir *open_below(struct tree *t, struct tree_dir *parent, uint32_t dir,
                                   struct err *err)
{
    struct tree_dir *d = free_slot(t);
    if (!d) {
        (void)err_set(err, EBUSY, "too many directories in use");
        return NULL;
    }
    const char *name = t->names.data + t->dirs[dir].name;
    int fd = sys_openat2(parent->fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0, ONE_STEP);
    if (fd < 0) {
        (void)err_sys(err, -fd, "cannot open the directory \"%s\"", name);
        return NULL;
    }
    d->fd = fd;
    d->dir = dir;
    t->dirs[dir].slot = (uint16_t)(d - t->slots);
    return hold(t, dir);
}

struct tree_dir *tree_dir_get(struct tree *t, uint32_t dir, struct err *err)
{
    // From the nearest directory that is open, one step at a time; only two are held at once.
    for (;;) {
        if (t->dirs[dir].slot != NO_SLOT)
            return hold(t, dir);
        uint32_t missing = dir;
        while (t->dirs[t->dirs[missing].parent].slot == NO_SLOT)
            missing = t->dirs[missing].parent;
        struct tree_dir *parent = hold(t, t->dirs[missing].parent);
        struct tree_dir *d = open_below(t, parent, missing, err);
        tree_dir_put(parent);
        if (!d || missing == dir)
            return d;
        tree_dir_put(d);
    }
}

void tree_dir_ref(struct tree_dir *d)
{
    d->refs++;
}

void tree_dir_put(struct tree_dir *d)
{
    d->refs--;
}

void tree_set_final(struct tree *t, uint32_t dir, const struct tree_final *f)
{
    t->dirs[dir].final = *f;
    t->dirs[dir].has_final = true;
}

static int set_owner_and_mode(int parent, const char *name, const struct tree_final *f)
{
    AUTO_FD int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || fchown(fd, f->uid, f->gid) < 0 || fchmod(fd, f->mode) < 0)
        return -errno;
    return 0;
}

static int apply_one(struct tree *t, uint32_t number, struct err *err)
{
    struct dir *dir = &t->dirs[number];
    const struct tree_final *f = &dir->final;
    struct timespec ts[2] = {{f->times.atime_s, f->times.atime_ns},
                             {f->times.mtime_s, f->times.mtime_ns}};
    struct tree_dir *parent = tree_dir_get(t, dir->parent, err);
    if (!parent)
        return -err->num;
    const char *name = number == TREE_ROOT ? "." : t->names.data + dir->name;
    int r = 0;
    // Most directories are root's and plain, and were made so.
    if (f->uid || f->gid || (f->mode & 07000) || number == TREE_ROOT)
        r = set_owner_and_mode(parent->fd, name, f);
    if (r == 0 && utimensat(parent->fd, name, ts, AT_SYMLINK_NOFOLLOW) < 0)
        r = -errno;
    tree_dir_put(parent);
    if (r < 0)
        return err_sys(err, -r, "cannot set owner, mode and times of the directory \"%s\"", name);
    return 0;
}

// A directory below one that is gone is gone too; its parent has the smaller number.
int tree_apply_final(struct tree *t, struct err *err)
{
    for (size_t i = 1; i < t->n_dirs; i++)
        if (t->dirs[t->dirs[i].parent].gone)
            t->dirs[i].gone = true;
    for (size_t i = t->n_dirs; i-- > 0;) {
        if (!t->dirs[i].has_final || t->dirs[i].gone)
            continue;
        int r = apply_one(t, (uint32_t)i, err);
        if (r < 0)
            return r;
    }
    return 0;
}
