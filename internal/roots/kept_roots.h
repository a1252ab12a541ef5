// SPDX-License-Identifier: Apache-2.0
// What kept jobs stand on, so that nobody takes it away from below them. Host side.
#ifndef BRYO_ROOTS_KEPT_ROOTS_H
#define BRYO_ROOTS_KEPT_ROOTS_H

#include "internal/base/buf.h"

#include <stdbool.h>

struct err;

struct kept_roots {
    struct strv paths; // absolute, of trees: of the root, of each layer, of the init layer
    struct strv ids;   // of each: the kept job
    bool running;      // jobs run now, kept ones or others
};

// bryo_dir: absolute path of $XDG_CACHE_HOME/bryo.
int kept_roots_find(const char *bryo_dir, struct kept_roots *ret, struct err *err);
void kept_roots_done(struct kept_roots *k);
#define AUTO_ROOTS AUTO(kept_roots_done)

// The id of a kept job that stands on the tree, or NULL.
const char *kept_roots_job(const struct kept_roots *k, const char *path);

#endif
