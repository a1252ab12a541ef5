// SPDX-License-Identifier: Apache-2.0
// Where members go: parents, replacements, links. Used by the one thread that reads the archive.
#ifndef BRYO_IMAGE_PLACE_H
#define BRYO_IMAGE_PLACE_H

#include "internal/image/tarscan.h"
#include "internal/image/tree.h"
#include "internal/image/writer.h"

struct placer {
    struct tree *tree;
    struct writers *writers;
    int root_fd;
    uint64_t seq; // of the member; also counts removals
    uint64_t skipped_xattrs;
};

// All take m with clean paths (member_clean_path). Those that take meta own its xattrs afterwards.
int place_dir(struct placer *p, const struct tar_member *m, struct file_meta *meta,
              struct err *err);
int place_hardlink(struct placer *p, const struct tar_member *m, bool *ret_skipped,
                   struct err *err);
int place_device(struct placer *p, const struct tar_member *m, struct err *err); // leaves it out

// A link or a FIFO is handed to a writer; of a file, the task to be filled and handed over is
// returned.
int place_node(struct placer *p, const struct tar_member *m, struct file_meta *meta,
               struct err *err);
int place_file(struct placer *p, const struct tar_member *m, struct file_meta *meta,
               struct task **ret, struct err *err);

// The directory that the member's name stands in, made where missing, and its last component, which
// points into m->path. Nothing is made of the member itself.
int place_parent(struct placer *p, const struct tar_member *m, uint32_t *ret_dir,
                 const char **ret_name, struct err *err);

#endif
