// SPDX-License-Identifier: Apache-2.0
// Paths below a directory that a stranger filled: resolved by the kernel inside that root
// (openat2(2), Linux 5.6), never by comparing strings.
#ifndef BRYO_BASE_FSPATH_H
#define BRYO_BASE_FSPATH_H

#include <stdint.h>
#include <sys/types.h>

// Opens path as if rootfd were "/": links stay inside, also absolute ones and "..";
// magic links (/proc/PID/fd/N and the like) are refused. Returns a descriptor or -errno.
int fspath_open(int rootfd, const char *path, uint64_t flags);

// The same, making the directories on the way that are missing (mode 0755, before the umask).
// Returns an O_PATH descriptor of the directory, or -errno (-ENOTDIR: something else is there).
int fspath_mkdirs(int rootfd, const char *path);

// Makes sure that path names something a file can be mounted onto: parents made as above, an
// empty file (mode 0644) where nothing is. Returns an O_PATH descriptor, or -errno (-EISDIR).
int fspath_touch(int rootfd, const char *path);

// The number of components of path that say something ("" and "." do not); for sorting.
unsigned fspath_depth(const char *path);

// Makes a clean absolute path: joins base (absolute) and path where path is relative, folds "//",
// "/./" and trailing "/"; ".." is folded as text, as a shell's cd does. The caller frees.
char *fspath_clean(const char *base, const char *path);

// Removes name below dirfd and all below it, never across a link; directories that their owner may
// not enter are opened up first (overlay leaves such). A missing name is no error. Goes on after a
// failure and returns the first as -errno.
int fspath_remove_tree(int dirfd, const char *name);

// mkdir -p of an absolute or relative path outside of any root (the user's own cache, say).
int fspath_make_dirs(const char *path, mode_t mode);

#endif
