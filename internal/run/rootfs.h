// SPDX-License-Identifier: Apache-2.0
// What --rootfs means: a tarball (through the store), a directory, or the machine's own system
// directories. Host side.
#ifndef BRYO_RUN_ROOTFS_H
#define BRYO_RUN_ROOTFS_H

#include "internal/base/buf.h"
#include "internal/image/store.h"

#include <stdbool.h>

struct err;
struct idmaps;
struct job_spec;
struct scratch_record;

struct rootfs {
    bool is_host;
    char *source;          // absolute path of the tarball or directory; "host"
    char *lower;           // absolute path of the tree; "/" for host
    int fd;                // O_PATH of that tree
    bool etc_is_odd;       // its /etc is neither a directory nor missing
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

// The texts of etc/passwd and etc/group, "" where the tree has none: regular files of bounded size,
// looked up inside the tree; upper_path (a kept job's scratch, or NULL) goes before it.
int rootfs_read_users(const struct rootfs *root, const char *upper_path, struct buf *passwd,
                      struct buf *group, struct err *err);

#endif
