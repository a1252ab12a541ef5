// SPDX-License-Identifier: Apache-2.0
#include "internal/image/place.h"

#include "internal/base/buf.h"
#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/base/fspath.h"
#include "internal/image/manifest.h"
#include "internal/image/writer_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// A name below a directory.
struct place {
    uint32_t dir;
    const char *name; // "" is the directory itself, which is the root
    size_t n;
};

static int refuse(const struct tar_member *m, struct err *err, const char *why, const char *what)
{
    return err_set(err, EBADMSG,
                   "the member \"%.200s\" at byte %" PRIu64 " of the archive %s%s%.100s%s", m->path,
                   m->offset, why, what ? " \"" : "", what ? what : "", what ? "\"" : "");
}

// Waits for writers when they hold every slot.
static struct tree_dir *hold(struct placer *p, uint32_t dir, struct err *err)
{
    struct tree_dir *d = tree_dir_get(p->tree, dir, err);
    if (!d && err->num == EBUSY && writers_wait(p->writers, err) == 0)
        d = tree_dir_get(p->tree, dir, err);
    return d;
}

static int fail_at(const char *path, int num, const char *doing, struct err *err)
{
    (void)err_sys(err, num, "cannot %s \"%.300s\"", doing, path);
    if (num == ENOSPC || num == EDQUOT)
        return err_hint(err,
                        "make room on the file system of the image store (bryo image prune), or"
                        " move it with XDG_CACHE_HOME");
    return -num;
}

// --- directories ------------------------------------------------------------------------------

static void note_dir(struct placer *p, const char *path, const struct file_meta *meta)
{
    struct manifest_entry e = {
        .seq = p->seq,
        .type = 'd',
        .mode = meta ? meta->mode : 0755,
        .uid = meta ? meta->uid : 0,
        .gid = meta ? meta->gid : 0,
        .has_mtime = meta != NULL,
        .mtime_s = meta ? meta->times.mtime_s : 0,
        .mtime_ns = meta ? meta->times.mtime_ns : 0,
        .path = (char *)path,
    };
    writers_note(p->writers, &e);
}

static void note_removal(struct placer *p, const char *path)
{
    struct manifest_entry e = {.seq = p->seq++, .type = 'x', .path = (char *)path};
    writers_note(p->writers, &e);
}

static int make_dir(struct placer *p, uint32_t parent, const char *name, size_t n, uint32_t mode,
                    uint32_t *ret, const char *path, struct err *err)
{
    char leaf[NAME_MAX + 1];
    memcpy(leaf, name, n);
    leaf[n] = '\0';
    struct tree_dir *d = hold(p, parent, err);
    if (!d)
        return -err->num;
    int r = mkdirat(d->fd, leaf, mode & 0777) < 0 ? -errno : 0;
    tree_dir_put(d);
    if (r < 0)
        return fail_at(path, -r, "make the directory", err);
    *ret = tree_add_dir(p->tree, parent, name, n);
    return 0;
}

// The directory that the last component of path stands in. A parent that the archive did not name
// is made where make is set; a link is never a parent, wherever it leads.
static int find_place(struct placer *p, const struct tar_member *m, const char *path, bool make,
                      struct place *ret, struct err *err)
{
    uint32_t dir = TREE_ROOT;
    const char *at = path;
    for (;;) {
        size_t n = strcspn(at, "/");
        if (at[n] == '\0') {
            *ret = (struct place){dir, at, n};
            return 0;
        }
        AUTO_FREE char *so_far = str_dupn(path, (size_t)(at + n - path));
        int r = 0;
        switch (tree_find(p->tree, dir, at, n)) {
        case TREE_DIR:
            dir = tree_find_dir(p->tree, dir, at, n);
            break;
        case TREE_NONE:
            if (!make)
                return refuse(m, err, "leads to what the archive does not have:", path);
            r = make_dir(p, dir, at, n, 0755, &dir, so_far, err);
            note_dir(p, so_far, NULL);
            p->seq++;
            break;
        case TREE_SYMLINK:
            return refuse(m, err, "leads through the symbolic link", so_far);
        default:
            return refuse(m, err, "leads through what is no directory:", so_far);
        }
        if (r < 0)
            return r;
        at += n + 1;
    }
}

int place_parent(struct placer *p, const struct tar_member *m, uint32_t *ret_dir,
                 const char **ret_name, struct err *err)
{
    struct place at;
    int r = find_place(p, m, m->path, true, &at, err);
    if (r < 0)
        return r;
    *ret_dir = at.dir;
    *ret_name = at.name;
    return 0;
}

// Takes away now what stands there.
static int remove_now(struct placer *p, const char *path, const struct place *at, struct err *err)
{
    int r = writers_wait(p->writers, err);
    if (r < 0)
        return r;
    struct tree_dir *d = hold(p, at->dir, err);
    if (!d)
        return -err->num;
    tree_set(p->tree, at->dir, at->name, at->n, TREE_NONE);
    r = fspath_remove_tree(d->fd, at->name);
    tree_dir_put(d);
    if (r < 0)
        return fail_at(path, -r, "replace", err);
    note_removal(p, path);
    return 0;
}

static int apply_dir_xattrs(struct placer *p, uint32_t dir, const struct file_meta *meta,
                            struct err *err)
{
    if (!meta->xattrs)
        return 0;
    struct tree_dir *d = hold(p, dir, err);
    if (!d)
        return -err->num;
    AUTO_FD int fd = openat(d->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int r = fd < 0 ? -errno : writer_set_xattrs(fd, meta->xattrs, &p->skipped_xattrs);
    tree_dir_put(d);
    return r < 0 ? err_sys(err, -r, "cannot set attributes of a directory") : 0;
}

// A directory that is there already keeps what is in it, and gets the later member's attributes.
static int renew_dir(struct placer *p, uint32_t dir, uint32_t mode, const char *path,
                     struct err *err)
{
    struct tree_dir *d = hold(p, dir, err);
    if (!d)
        return -err->num;
    AUTO_FD int fd = openat(d->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int r = fd < 0 || fchmod(fd, mode & 0777) < 0 ? -errno : 0;
    tree_dir_put(d);
    return r < 0 ? fail_at(path, -r, "set the mode of", err) : 0;
}

static int make_or_renew(struct placer *p, const struct tar_member *m, const struct file_meta *meta,
                         uint32_t *ret, struct err *err)
{
    struct place at;
    *ret = TREE_ROOT;
    if (!m->path[0])
        return 0; // the root itself
    int r = find_place(p, m, m->path, true, &at, err);
    if (r < 0)
        return r;
    enum tree_kind kind = tree_find(p->tree, at.dir, at.name, at.n);
    if (kind == TREE_DIR) {
        *ret = tree_find_dir(p->tree, at.dir, at.name, at.n);
        return renew_dir(p, *ret, meta->mode, m->path, err);
    }
    if (kind != TREE_NONE && kind != TREE_DEVICE)
        r = remove_now(p, m->path, &at, err);
    return r < 0 ? r : make_dir(p, at.dir, at.name, at.n, meta->mode, ret, m->path, err);
}

int place_dir(struct placer *p, const struct tar_member *m, struct file_meta *meta, struct err *err)
{
    uint32_t dir = TREE_ROOT;
    int r = make_or_renew(p, m, meta, &dir, err);
    if (r == 0)
        r = apply_dir_xattrs(p, dir, meta, err);
    if (r == 0) {
        struct tree_final f = {meta->times, meta->mode, meta->uid, meta->gid};
        tree_set_final(p->tree, dir, &f);
        note_dir(p, m->path, meta);
    }
    xattrs_free(meta->xattrs);
    return r;
}

// --- everything else --------------------------------------------------------------------------

// Makes the place free for what is no directory. *replace: a writer has to unlink what is there.
static int clear_place(struct placer *p, const struct tar_member *m, struct place *at,
                       bool *replace, struct err *err)
{
    if (!m->path[0])
        return refuse(m, err, "would replace the root directory", NULL);
    int r = find_place(p, m, m->path, true, at, err);
    if (r < 0)
        return r;
    enum tree_kind kind = tree_find(p->tree, at->dir, at->name, at->n);
    *replace = kind == TREE_FILE || kind == TREE_SYMLINK || kind == TREE_FIFO;
    return kind == TREE_DIR ? remove_now(p, m->path, at, err) : 0;
}

static int new_task(struct placer *p, const struct tar_member *m, enum task_kind kind,
                    enum tree_kind becomes, struct file_meta *meta, struct task **ret,
                    struct err *err)
{
    struct place at;
    bool replace = false;
    int r = clear_place(p, m, &at, &replace, err);
    struct tree_dir *d = r == 0 ? hold(p, at.dir, err) : NULL;
    if (!d) {
        xattrs_free(meta->xattrs);
        return r < 0 ? r : -err->num;
    }
    struct task *t = task_new(kind, d, m->path);
    t->replace = replace;
    t->seq = p->seq;
    t->size = m->size;
    t->meta = *meta;
    tree_set(p->tree, at.dir, at.name, at.n, becomes);
    *ret = t;
    return 0;
}

// The task holds the directory as well; the caller's hold has told the queue who else does.
static void submit(struct placer *p, struct task *t)
{
    struct tree_dir *d = t->dir;
    writers_submit(p->writers, t);
    tree_dir_put(d);
}

int place_node(struct placer *p, const struct tar_member *m, struct file_meta *meta,
               struct err *err)
{
    bool link = m->type == TAR_SYMLINK;
    struct task *t = NULL;
    if (link && strlen(m->link) >= PATH_MAX)
        return refuse(m, err, "is a link to what is longer than a path may be", NULL);
    int r = new_task(p, m, link ? TASK_SYMLINK : TASK_FIFO, link ? TREE_SYMLINK : TREE_FIFO, meta,
                     &t, err);
    if (r < 0)
        return r;
    if (link)
        t->link = str_dup(m->link);
    submit(p, t);
    return 0;
}

int place_file(struct placer *p, const struct tar_member *m, struct file_meta *meta,
               struct task **ret, struct err *err)
{
    return new_task(p, m, TASK_FILE, TREE_FILE, meta, ret, err);
}

int place_device(struct placer *p, const struct tar_member *m, struct err *err)
{
    struct place at;
    bool replace = false;
    int r = clear_place(p, m, &at, &replace, err);
    if (r == 0 && replace)
        r = remove_now(p, m->path, &at, err);
    if (r == 0)
        tree_set(p->tree, at.dir, at.name, at.n, TREE_DEVICE);
    return r;
}

static int make_link(struct placer *p, const struct tar_member *m, const struct place *to,
                     const struct place *at, bool replace, struct err *err)
{
    struct tree_dir *from_dir = hold(p, to->dir, err);
    struct tree_dir *dir = from_dir ? hold(p, at->dir, err) : NULL;
    int r = dir ? 0 : -err->num;
    if (r == 0 && replace && unlinkat(dir->fd, at->name, 0) < 0)
        r = fail_at(m->path, errno, "replace", err);
    // Flags 0: a link that is linked to is linked, not followed.
    if (r == 0 && linkat(from_dir->fd, to->name, dir->fd, at->name, 0) < 0)
        r = fail_at(m->path, errno, "make the hard link", err);
    if (dir)
        tree_dir_put(dir);
    if (from_dir)
        tree_dir_put(from_dir);
    return r;
}

// Only to what this archive has made: there is nothing else in the tree.
int place_hardlink(struct placer *p, const struct tar_member *m, bool *ret_skipped, struct err *err)
{
    struct place to;
    struct place at;
    bool replace = false;
    *ret_skipped = false;
    int r = find_place(p, m, m->link, false, &to, err);
    if (r < 0)
        return r;
    enum tree_kind kind = tree_find(p->tree, to.dir, to.name, to.n);
    if (kind == TREE_DEVICE) {
        *ret_skipped = true;
        return place_device(p, m, err);
    }
    if (kind == TREE_NONE)
        return refuse(m, err, "is a hard link to what the archive does not have:", m->link);
    if (kind == TREE_DIR || !m->link[0])
        return refuse(m, err, "is a hard link to a directory:", m->link);
    if (strcmp(m->link, m->path) == 0)
        return 0; // to itself, which is there
    r = clear_place(p, m, &at, &replace, err);
    if (r == 0)
        r = writers_wait(p->writers, err);
    if (r == 0)
        r = make_link(p, m, &to, &at, replace, err);
    if (r < 0)
        return r;
    tree_set(p->tree, at.dir, at.name, at.n, kind);
    struct manifest_entry e = {.seq = p->seq, .type = 'h', .path = m->path, .link = m->link};
    writers_note(p->writers, &e);
    return 0;
}
