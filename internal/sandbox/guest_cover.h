// SPDX-License-Identifier: Apache-2.0
// Covers what a job must not reach although a directory above it is shown: bryo's own store and
// scratch layers (a job that could write there would write into every later job's root), and the
// user's home where it lies below one of the host root's directories. Guest side.
#ifndef BRYO_SANDBOX_GUEST_COVER_H
#define BRYO_SANDBOX_GUEST_COVER_H

// Mounts an empty directory in memory over path (absolute on the machine, free of links) where that
// lies in the attached mount tree or is its root. 0 also where it does not. -errno.
int guest_cover_in_tree(int tree, const char *path);

// The same below root, where path stands under its own name.
int guest_cover_in_root(int rootfd, const char *path);

#endif
