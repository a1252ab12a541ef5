// SPDX-License-Identifier: Apache-2.0
// How overlayfs wants to be told (overlayfs.rst, "whiteouts and opaque directories"):
//
//     a name is hidden         character device 0:0 of that name, which a user namespace may make
//     all of a directory is    user.overlay.opaque = "y" on it
//
// The store may itself lie on an overlay (bryo inside bryo), where such a device cannot be made. An
// empty file with user.overlay.whiteout in a directory with user.overlay.opaque = "x" says the same
// (Linux 6.7), and an overlay passes these attributes on to its own upper layer in another name.
#include "internal/image/layer.h"

#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/image/manifest.h"
#include "internal/image/whiteout.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

// Names of hidden files are kept until the end: an archive of nothing else must not fill the
// memory.
#define NOTES_MAX (32U << 20)

void layer_done(struct layer *l)
{
    buf_done(&l->notes);
}

static int refuse(const struct tar_member *m, const char *why, struct err *err)
{
    return err_set(err, EBADMSG, "the member \"%.200s\" at byte %" PRIu64 " of the layer %s",
                   m->path, m->offset, why);
}

static int note(struct layer *l, struct placer *p, const struct tar_member *m, bool opaque,
                struct err *err)
{
    uint32_t dir;
    const char *name;
    if (m->type == TAR_DIR || (m->type == TAR_FILE && m->size > 0))
        return refuse(m, "has the name of a whiteout, but is no empty file", err);
    int r = place_parent(p, m, &dir, &name, err);
    if (r < 0)
        return r;
    name = opaque ? "" : name + strlen(WHITEOUT_PREFIX);
    if (l->notes.len > NOTES_MAX)
        return err_set(err, EFBIG, "the layer has more whiteouts than bryo can remember");
    buf_add(&l->notes, &dir, sizeof(dir));
    buf_add(&l->notes, name, strlen(name) + 1);
    return 0;
}

int layer_take(struct layer *l, struct placer *p, const struct tar_member *m, bool *ret_taken,
               struct err *err)
{
    const char *name = NULL;
    enum whiteout_kind kind = whiteout_of(m->path, &name);
    *ret_taken = kind != WHITEOUT_NONE;
    switch (kind) {
    case WHITEOUT_NAME:
    case WHITEOUT_OPAQUE:
        return note(l, p, m, kind == WHITEOUT_OPAQUE, err);
    case WHITEOUT_BAD:
        return refuse(m, name, err);
    default:
        return 0;
    }
}

static int set_on(const struct tree_dir *d, const char *attribute, const char *value)
{
    AUTO_FD int fd = openat(d->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 || fsetxattr(fd, attribute, value, strlen(value), 0) < 0 ? -errno : 0;
}

// A directory that is opaque needs no mark of what is hidden in it.
static bool is_opaque(const struct tree_dir *d)
{
    char value = 0;
    AUTO_FD int fd = openat(d->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd >= 0 && fgetxattr(fd, "user.overlay.opaque", &value, 1) == 1 && value == 'y';
}

static int hide_by_file(const struct tree_dir *d, const char *name)
{
    AUTO_FD int fd =
        openat(d->fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0444);
    if (fd < 0 || fsetxattr(fd, "user.overlay.whiteout", "y", 1, 0) < 0)
        return -errno;
    return set_on(d, "user.overlay.opaque", "x");
}

static int hide(const struct tree_dir *d, const char *name)
{
    if (is_opaque(d))
        return 0;
    // Where no lower layer has the directory, overlayfs lists it as it is, whiteouts and all, but
    // for one that was "copied up, origin unknown": an empty value.
    int r = set_on(d, "user.overlay.origin", "");
    if (r == 0 && mknodat(d->fd, name, S_IFCHR, makedev(0, 0)) < 0)
        r = errno == EPERM ? hide_by_file(d, name) : -errno;
    return r;
}

static void note_in_manifest(struct placer *p, uint32_t dir, const char *name)
{
    AUTO_BUF struct buf path = {0};
    tree_dir_path(p->tree, dir, &path);
    if (path.len)
        buf_addc(&path, '/');
    buf_adds(&path, name);
    struct manifest_entry e = {.seq = p->seq++, .type = 'w', .path = path.data};
    writers_note(p->writers, &e);
}

static int fail(struct placer *p, uint32_t dir, const char *name, int num, struct err *err)
{
    AUTO_BUF struct buf path = {0};
    tree_dir_path(p->tree, dir, &path);
    (void)err_sys(err, num, "cannot hide \"%s%s%s\" of the layers below", buf_str(&path),
                  *name ? "/" : "", name);
    if (num == ENOTSUP || num == EPERM)
        return err_hint(err, "the file system of the image store has no extended attributes, or is "
                             "an overlay before Linux 6.7; XDG_CACHE_HOME moves the store");
    return -num;
}

// What the layer itself has under a hidden name stands above whatever is below; only a directory
// would be joined with a lower one, and is told not to be.
static int apply(struct layer *l, struct placer *p, uint32_t dir, const char *name, struct err *err)
{
    enum tree_kind kind = *name ? tree_find(p->tree, dir, name, strlen(name)) : TREE_DIR;
    uint32_t on = dir;
    if (kind != TREE_NONE && kind != TREE_DEVICE && kind != TREE_DIR)
        return 0;
    if (kind == TREE_DIR && *name)
        on = tree_find_dir(p->tree, dir, name, strlen(name));
    struct tree_dir *d = tree_dir_get(p->tree, on, err);
    if (!d)
        return -err->num;
    int r = kind == TREE_DIR ? set_on(d, "user.overlay.opaque", "y") : hide(d, name);
    bool made = kind != TREE_DIR && !is_opaque(d);
    tree_dir_put(d);
    if (r == -EEXIST)
        return 0; // named twice
    if (r < 0)
        return fail(p, dir, name, -r, err);
    if (made)
        note_in_manifest(p, dir, name);
    l->whiteouts++;
    return 0;
}

// Directories that hide all come first: what is hidden in them needs nothing.
static int each(struct layer *l, struct placer *p, bool opaque, struct err *err)
{
    for (size_t at = 0; at < l->notes.len;) {
        uint32_t dir;
        memcpy(&dir, l->notes.data + at, sizeof(dir));
        const char *name = l->notes.data + at + sizeof(dir);
        at += sizeof(dir) + strlen(name) + 1;
        if ((*name == '\0') != opaque || !tree_has_dir(p->tree, dir))
            continue;
        int r = apply(l, p, dir, name, err);
        if (r < 0)
            return r;
    }
    return 0;
}

int layer_apply(struct layer *l, struct placer *p, struct err *err)
{
    int r = each(l, p, true, err);
    return r < 0 ? r : each(l, p, false, err);
}
