// SPDX-License-Identifier: Apache-2.0
// What --layer means: tarballs, each in the store as a layer, and directories. Host side.
#ifndef BRYO_ROOTS_LAYERS_H
#define BRYO_ROOTS_LAYERS_H

#include "internal/base/buf.h"

#include <stddef.h>

struct err;
struct idmaps;
struct job_spec;
struct merged;

struct layers {
    struct strv sources; // absolute paths of the tarballs and directories, lowest first
    struct strv paths;   // of each: absolute path of its tree
    int *locks;          // of each: the store's entry, held; -1 for a directory
};

// Unpacks what is not stored yet. cache_dir: absolute, of the store.
int layers_open(const struct job_spec *spec, const struct idmaps *maps, const char *cache_dir,
                struct layers *ret, struct err *err);

// Those of a kept job once more: sources and paths are copied.
int layers_reopen(const struct strv *sources, const struct strv *paths, struct layers *ret,
                  struct err *err);
void layers_close(struct layers *layers);

// The layers upon lower, below upper (NULL: without).
void layers_stack(const struct layers *layers, const char *lower, const char *upper,
                  struct merged *ret);

#endif
