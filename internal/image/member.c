// SPDX-License-Identifier: Apache-2.0
#include "internal/image/member.h"

#include "internal/base/buf.h"
#include "internal/base/err.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define XATTR_VALUE_MAX (64U << 10) // the kernel's own limit (XATTR_SIZE_MAX)
#define XATTR_NAME_MAX_ 255U

static bool same_type(const struct tar_member *m, struct archive_entry *e)
{
    if (archive_entry_hardlink(e) || m->type == TAR_HARDLINK)
        return archive_entry_hardlink(e) && m->type == TAR_HARDLINK;
    switch (archive_entry_filetype(e)) {
    case AE_IFREG:
        return m->type == TAR_FILE;
    case AE_IFDIR:
        return m->type == TAR_DIR;
    case AE_IFLNK:
        return m->type == TAR_SYMLINK;
    case AE_IFIFO:
        return m->type == TAR_FIFO;
    case AE_IFCHR:
    case AE_IFBLK:
        return m->type == TAR_DEVICE;
    default:
        return false;
    }
}

static bool same_text(const char *a, const char *b)
{
    return a && b && strcmp(a, b) == 0;
}

int member_agrees(const struct tar_member *m, struct archive_entry *e, bool names, struct err *err)
{
    const char *what = NULL;
    if (!same_type(m, e))
        what = "what it is";
    else if (m->type == TAR_FILE && (!archive_entry_size_is_set(e) || archive_entry_size(e) < 0 ||
                                     (uint64_t)archive_entry_size(e) != m->size))
        what = "its size";
    else if (names && !same_text(archive_entry_pathname(e), m->path))
        what = "its name";
    else if (names && m->type == TAR_SYMLINK && !same_text(archive_entry_symlink(e), m->link))
        what = "where it leads";
    else if (names && m->type == TAR_HARDLINK && !same_text(archive_entry_hardlink(e), m->link))
        what = "where it leads";
    if (!what)
        return 0;
    return err_set(err, EBADMSG,
                   "the member \"%.200s\" at byte %" PRIu64
                   " of the archive is ambiguous: two readers do not agree on %s",
                   m->path, m->offset, what);
}

static uint32_t map_id(const struct idmap *map, int64_t id, bool *squashed)
{
    uint32_t outside;
    // The last id means "leave as it is" to chown(2).
    if (id >= 0 && id < UINT32_MAX && idmap_to_outside(map, (uint32_t)id, &outside))
        return (uint32_t)id;
    *squashed = true;
    return 0;
}

// What a user may set, and what cannot change how the kernel or overlayfs treats the file:
// user.overlay.* would make a file a whiteout or a redirect in the job's root.
static bool may_keep(const char *name)
{
    return strncmp(name, "user.", 5) == 0 && name[5] && strncmp(name, "user.overlay.", 13) != 0 &&
           strlen(name) <= XATTR_NAME_MAX_;
}

static struct xattr *xattrs_of(struct archive_entry *e, uint64_t *skipped)
{
    struct xattr *list = NULL;
    const char *name;
    const void *value;
    size_t size;
    (void)archive_entry_xattr_reset(e);
    while (archive_entry_xattr_next(e, &name, &value, &size) == ARCHIVE_OK) {
        if (!name || !may_keep(name) || size > XATTR_VALUE_MAX) {
            (*skipped)++;
            continue;
        }
        struct xattr *x = mem_alloc(sizeof(*x));
        x->name = str_dup(name);
        x->value = size ? str_dupn(value, size) : NULL;
        x->size = size;
        x->next = list;
        list = x;
    }
    return list;
}

static struct file_times times_of(const struct tar_member *m, struct archive_entry *e)
{
    // Without a pax record a time is a whole number, and a second time is seldom there.
    struct file_times t = {.mtime_s = archive_entry_mtime(e)};
    if (m->mtime.set) {
        t.mtime_s = m->mtime.s;
        t.mtime_ns = m->mtime.ns;
    }
    t.atime_s = m->atime.set ? m->atime.s : t.mtime_s;
    t.atime_ns = m->atime.set ? m->atime.ns : t.mtime_ns;
    return t;
}

// ACLs are not kept, and the mode is what stat(2) said of the file that was packed: where there is
// a mask, it is the group's bits (acl(5)), and the group's own entry is only in the ACL. libarchive
// gives that entry; the header, and GNU tar, the mask.
static uint32_t mode_of(struct archive_entry *e)
{
    uint32_t mode = archive_entry_perm(e) & 07777;
    int type;
    int rights;
    int tag;
    int id;
    const char *name;
    if (archive_entry_acl_reset(e, ARCHIVE_ENTRY_ACL_TYPE_ACCESS) == 0)
        return mode;
    while (archive_entry_acl_next(e, ARCHIVE_ENTRY_ACL_TYPE_ACCESS, &type, &rights, &tag, &id,
                                  &name) == ARCHIVE_OK)
        if (tag == ARCHIVE_ENTRY_ACL_MASK)
            mode = (mode & ~070U) | ((uint32_t)rights & 7) << 3;
    return mode;
}

void member_meta(const struct tar_member *m, struct archive_entry *e, const struct owner_map *map,
                 struct file_meta *ret, bool *squashed, uint64_t *skipped)
{
    *squashed = false;
    *ret = (struct file_meta){.mode = mode_of(e), .times = times_of(m, e)};
    ret->uid = map_id(map->uids, archive_entry_uid(e), squashed);
    ret->gid = map_id(map->gids, archive_entry_gid(e), squashed);
    ret->xattrs = xattrs_of(e, skipped);
    int acls =
        archive_entry_acl_count(e, ARCHIVE_ENTRY_ACL_TYPE_POSIX1E | ARCHIVE_ENTRY_ACL_TYPE_NFS4);
    if (acls > 0)
        *skipped += (uint64_t)acls;
}

static const char *path_fault(const char *path)
{
    for (const char *at = path; *at; at += strspn(at, "/")) {
        size_t n = strcspn(at, "/");
        if (n == 2 && at[0] == '.' && at[1] == '.')
            return "has \"..\" in it";
        if (n > NAME_MAX)
            return "has a component of more than 255 bytes";
        at += n;
    }
    return strlen(path) >= PATH_MAX ? "is longer than a path may be" : NULL;
}

int member_clean_path(char *path, const char *what, uint64_t offset, struct err *err)
{
    const char *why = path_fault(path);
    if (why)
        return err_set(err, EBADMSG,
                       "the %s of the member at byte %" PRIu64 " of the archive %s: \"%.200s\"",
                       what, offset, why, path);
    char *to = path;
    for (const char *at = path; *at; at += strspn(at, "/")) {
        size_t n = strcspn(at, "/");
        if (n > 1 || (n == 1 && at[0] != '.')) {
            if (to != path)
                *to++ = '/';
            memmove(to, at, n);
            to += n;
        }
        at += n;
    }
    *to = '\0';
    return 0;
}
