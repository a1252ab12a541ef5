// SPDX-License-Identifier: Apache-2.0
// A manifest read back: what the tree is to be, by path. Pure.
#ifndef BRYO_IMAGE_MANIFEST_SET_H
#define BRYO_IMAGE_MANIFEST_SET_H

#include "internal/image/manifest.h"

struct err;

struct manifest_item {
    struct manifest_entry e;
    const struct manifest_item *as; // of a hard link: the member whose file it names; else itself
    uint64_t ino;                   // for verify
    bool alive;                     // nothing later replaced or removed it
    bool seen;                      // for verify
};

struct manifest_set {
    struct manifest_item *v; // by path, then by seq
    size_t n;
};

// text: NUL-terminated and written to. -EBADMSG when it is not whole.
int manifest_set_parse(char *text, struct manifest_set *ret, struct err *err);
void manifest_set_done(struct manifest_set *s);

// What stands at the path in the end, or NULL.
struct manifest_item *manifest_set_find(const struct manifest_set *s, const char *path);

#endif
