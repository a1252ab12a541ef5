// SPDX-License-Identifier: Apache-2.0
// What the store needs others' ids for: unpacking, removing and comparing, each as root of a user
// namespace with bryo-unpack in it. Host side.
#ifndef BRYO_ROOTS_HOST_UNPACK_H
#define BRYO_ROOTS_HOST_UNPACK_H

#include "internal/base/buf.h"
#include "internal/image/store.h"
#include "internal/job/idmap.h"

#include <stdbool.h>
#include <stdint.h>

struct err;

struct unpack_context {
    const struct idmaps *maps; // in force for what is unpacked
    bool layer;                // it is one, and not a root: whiteouts are honoured
};

// context must outlive ops.
void host_unpack_ops(struct unpack_context *context, struct image_ops *ops);

// Notes for the user on what a tarball had and its tree has not.
void host_unpack_tell(const struct unpack_stats *stats);

// The SHA-256 of a file's bytes, in hex.
int host_unpack_digest(int fd, char ret[65], struct err *err);

// Compares the tree of an entry that is held with its manifest; adds to *bad. owners: the maps are
// those it was unpacked under.
int host_unpack_verify(const struct idmaps *maps, const struct image_ref *ref, bool owners,
                       uint64_t *ret_checked, struct strv *bad, struct err *err);

#endif
