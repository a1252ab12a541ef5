// SPDX-License-Identifier: Apache-2.0
// What the files of "bryo image" share.
#ifndef BRYO_ROOTS_IMAGES_PRIV_H
#define BRYO_ROOTS_IMAGES_PRIV_H

#include "internal/base/cleanup.h"
#include "internal/image/store.h"
#include "internal/roots/host_unpack.h"
#include "internal/sandbox/host_identity.h"

#include <stddef.h>

struct err;
struct job_spec;

// The store with what is needed to work on it.
struct images {
    char *cache_dir;
    struct store *store;
    struct host_identity identity;
    struct unpack_context context;
    struct image_ops ops;
};

// spec: whose ids; NULL: all that the user has.
int images_open(struct images *im, const struct job_spec *spec, struct err *err);
void images_done(struct images *im);
#define AUTO_IMAGES AUTO(images_done)

// All entries that ref (images.h) names: one digest may be unpacked under several maps. At least
// one, else -errno. The caller frees with store_entries_free().
int images_find(struct images *im, const char *ref, struct store_entry **ret, size_t *ret_n,
                struct err *err);

// Waits until what ref holds is on disk. What cannot be brought there is removed, unless somebody
// uses it: then it stays until it is unpacked again, and verify says so. ref is done with then.
int images_settle(struct images *im, struct image_ref *ref, struct err *err);

#endif
