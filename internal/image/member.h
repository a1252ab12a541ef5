// SPDX-License-Identifier: Apache-2.0
// One member, as both readers of the archive see it.
#ifndef BRYO_IMAGE_MEMBER_H
#define BRYO_IMAGE_MEMBER_H

#include "internal/image/tarscan.h"
#include "internal/image/writer.h"
#include "internal/job/idmap.h"

struct archive_entry;

// Whether libarchive read what tarscan read: type, size, name and link. -EBADMSG if not.
// names: libarchive could turn the names through its character set, so they can be compared.
int member_agrees(const struct tar_member *m, struct archive_entry *e, bool names, struct err *err);

struct owner_map {
    const struct idmap *uids;
    const struct idmap *gids;
};

// Mode, owner, times and attributes. *squashed: its owner is beyond the map, and 0 was taken.
// *skipped: attributes and ACLs that are not kept.
void member_meta(const struct tar_member *m, struct archive_entry *e, const struct owner_map *map,
                 struct file_meta *ret, bool *squashed, uint64_t *skipped);

// Pure. Cuts a member's name into components: "/" and "." say nothing (the root of the archive is
// the root of the tree), ".." and components of more than NAME_MAX bytes are refused, and so is a
// whole of PATH_MAX or more. Rewrites path in place to "a/b/c"; "" is the root. what: "name" or
// "link target", for the message.
int member_clean_path(char *path, const char *what, uint64_t offset, struct err *err);

#endif
