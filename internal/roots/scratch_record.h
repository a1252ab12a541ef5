// SPDX-License-Identifier: Apache-2.0
// What a kept scratch remembers about its job: for --reuse, bryo diff and bryo commit. Pure.
#ifndef BRYO_ROOTS_SCRATCH_RECORD_H
#define BRYO_ROOTS_SCRATCH_RECORD_H

#include "internal/base/buf.h"
#include "internal/job/idmap.h"

struct scratch_record {
    char *rootfs; // absolute path of the tarball or directory; "host"
    char *lower;  // absolute path of the tree below; "" for host
    char *init_layer;
    struct strv layer_sources; // absolute paths of the tarballs and directories, lowest first
    struct strv layer_paths;   // of each: absolute path of its tree
    char map_key[17];
    struct idmaps maps; // those that were in force
};

void scratch_record_done(struct scratch_record *record);
#define AUTO_RECORD AUTO(scratch_record_done)

void scratch_record_format(const struct scratch_record *record, struct buf *out);

// Strict: what scratch_record_format() writes. -EINVAL on anything else; *ret is untouched then.
int scratch_record_parse(const char *text, struct scratch_record *ret);

#endif
