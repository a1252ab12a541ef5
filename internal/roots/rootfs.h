// SPDX-License-Identifier: Apache-2.0
// What --rootfs means: a tarball (through the store), a directory, or the machine's own system
// directories. Host side.
#ifndef BRYO_ROOTS_ROOTFS_H
#define BRYO_ROOTS_ROOTFS_H

#include "internal/base/buf.h"
#include "internal/image/store.h"

#include <stdbool.h>

struct err;
struct idmaps;
struct job_spec;
struct merged;
struct scratch_record;

struct rootfs {
    bool is_host;
    char *source;          // absolute path of the tarball or directory; "host"
    char *lower;           // absolute path of the tree; "/" for host
    int fd;                // O_PATH of that tree
    struct strv host_dirs; // host: names to show, such as "usr"
    struct strv top_dirs;  // host: names of directories that stand at the top
    struct strv top_links; // host: "NAME\0TARGET"
    struct image_ref
        image; // the tarball's entry, held for this run; lock_fd -1 where there is none
};

// cache_dir: absolute, of the store. Unpacks a tarball that is not stored yet.
int rootfs_open(const struct job_spec *spec, const struct idmaps *maps, const char *cache_dir,
                struct rootfs *ret, struct err *err);

// The root of a kept job once more.
int rootfs_reopen(const struct scratch_record *record, struct rootfs *ret, struct err *err);

void rootfs_close(struct rootfs *root);

// The texts of etc/passwd and etc/group, "" where there is none: regular files of bounded size,
// looked up inside the tree, or (stack is not NULL) in it and the layers above it; of a host root,
// the stack is that of its /etc.
int rootfs_read_users(const struct rootfs *root, const struct merged *stack, struct buf *passwd,
                      struct buf *group, struct err *err);

// Whether etc of the tree, or of the stack, is neither a directory nor missing.
bool rootfs_etc_is_odd(const struct rootfs *root, const struct merged *stack);

#endif
