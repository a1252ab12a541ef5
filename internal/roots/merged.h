// SPDX-License-Identifier: Apache-2.0
// Looking into a stack of layers as overlayfs would show it, from where it is not mounted: for -u,
// whose passwd may be in any of them, and for bryo diff, which asks what was there before.
#ifndef BRYO_ROOTS_MERGED_H
#define BRYO_ROOTS_MERGED_H

#include "internal/base/buf.h"

#include <stdbool.h>
#include <sys/stat.h>

struct merged {
    struct strv layers; // absolute paths of directories, topmost first
};

void merged_done(struct merged *m);
#define AUTO_MERGED AUTO(merged_done)

// What path (clean, relative: "a/b", "" is the top) is in the stack; no link is followed. Returns
// the index of the layer that has it, or -errno: -ENOENT also where a whiteout or an opaque
// directory hides it.
int merged_stat(const struct merged *m, const char *path, struct stat *ret);

// Opens path for reading, its links followed within the stack. Descriptor or -errno.
int merged_open(const struct merged *m, const char *path, int flags);

// The names in a directory that any layer shows there, sorted; none where it is no directory.
void merged_list(const struct merged *m, const char *path, struct strv *ret);

// Whether what name below the directory dirfd (O_PATH will do) is, is overlayfs's mark of a hidden
// name; *st is what fstatat(2) says of it.
bool merged_is_whiteout(int dirfd, const char *name, const struct stat *st);

// Whether the directory behind fd (O_PATH will do) hides what layers below have in it.
bool merged_is_opaque(int fd);

#endif
