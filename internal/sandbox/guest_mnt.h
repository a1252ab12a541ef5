// SPDX-License-Identifier: Apache-2.0
// Mounting onto descriptors. A target is resolved once, below the root's descriptor, and the mount
// goes onto exactly that: no name of the image is looked up a second time. Guest side.
#ifndef BRYO_SANDBOX_GUEST_MNT_H
#define BRYO_SANDBOX_GUEST_MNT_H

#include <stdbool.h>
#include <stdint.h>

struct err;

// mount(2) of a new file system onto the directory behind fd. 0 or -errno.
int guest_mnt_new(int fd, const char *type, unsigned long flags, const char *options);

// Opens name (one component) below root as a directory of its own, made where missing; a link or a
// file of the image in its place is replaced. For what bryo owns: proc, sys, dev. -errno.
int guest_mnt_own_dir(int root, const char *name);

// A detached copy of the mount at path below dirfd (open_tree(2)), with all below it. -errno.
int guest_mnt_clone(int dirfd, const char *path, bool recursive);

// Makes a detached copy read-only, all of it when recursive. Linux 5.12. -errno.
int guest_mnt_set_readonly(int tree, bool recursive);

// Puts a detached mount onto what target is open on (O_PATH). -errno.
int guest_mnt_attach(int tree, int target);

// Puts a detached mount onto name below dir, which this process made itself. -errno.
int guest_mnt_attach_at(int tree, int dir, const char *name);

#endif
