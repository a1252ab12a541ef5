// SPDX-License-Identifier: Apache-2.0
// What a job wrote: the upper layer of its overlay, entry by entry (overlayfs.rst). A stranger made
// it: no link is followed, and nothing is opened but directories.
#ifndef BRYO_IMAGE_UPPER_H
#define BRYO_IMAGE_UPPER_H

#include <stdbool.h>
#include <sys/stat.h>

struct err;

enum upper_mark {
    UPPER_PLAIN,
    UPPER_WHITEOUT, // the name is gone
    UPPER_OPAQUE,   // a directory that shows nothing of the layers below
};

struct upper_entry {
    const char *path; // below the root of the job: "usr/bin/x"
    int dirfd;        // of the directory that it stands in
    const char *name;
    const struct stat *st;
    enum upper_mark mark;
    bool alone; // it or a directory above it is opaque: nothing of lower layers shows in it
};

// < 0 with err ends the walk.
typedef int upper_fn(void *ctx, const struct upper_entry *e, struct err *err);

// All that the job wrote, a directory before what is in it, names in the order of their bytes: in
// upper/ of the scratch, and in host/NAME/upper of each directory of a host root. Keeps a
// descriptor a level.
int upper_walk_scratch(int scratchfd, upper_fn *fn, void *ctx, struct err *err);

#endif
