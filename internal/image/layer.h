// SPDX-License-Identifier: Apache-2.0
// The whiteouts of a layer that is being unpacked, made into what overlayfs understands. Used by
// the one thread that reads the archive.
//
// They are only collected while the archive is read, and applied when it ended: a whiteout hides
// what lower layers have and never a member of its own layer, whichever came first.
#ifndef BRYO_IMAGE_LAYER_H
#define BRYO_IMAGE_LAYER_H

#include "internal/base/buf.h"
#include "internal/image/place.h"
#include "internal/image/tarscan.h"

#include <stdbool.h>
#include <stdint.h>

struct err;

struct layer {
    struct buf notes;   // of each: the directory's number, then the hidden name, "" for all
    uint64_t whiteouts; // applied
};

void layer_done(struct layer *l);

// Whether the member is a whiteout, and noted (or, being AUFS's own, passed over); then nothing is
// to be unpacked for it. m: with a clean path. -EBADMSG: it is a whiteout that cannot be one.
int layer_take(struct layer *l, struct placer *p, const struct tar_member *m, bool *ret_taken,
               struct err *err);

// After writers_wait() and before tree_apply_final().
int layer_apply(struct layer *l, struct placer *p, struct err *err);

#endif
