// SPDX-License-Identifier: Apache-2.0
// The read-only layer between image and scratch that holds what bryo writes for a job: etc/hosts,
// etc/hostname, etc/resolv.conf; for the "host" root also its top level. Named by its content and
// shared by all jobs with the same one, so that a warm start finds it made. Host side.
#ifndef BRYO_RUN_INIT_LAYER_H
#define BRYO_RUN_INIT_LAYER_H

#include "internal/base/buf.h"

#include <stdbool.h>

struct err;

struct init_layer {
    const char *hostname;
    bool host_network; // hosts and resolv.conf of the machine, else of a job without a network
    const struct strv *top_dirs;  // directories to make at the top; may be NULL
    const struct strv *top_links; // "NAME\0TARGET" strings: links to make there; may be NULL
};

// Makes sure that it is there; *ret is its absolute path (the caller frees).
int init_layer_ensure(const char *bryo_dir, const struct init_layer *layer, char **ret,
                      struct err *err);

#endif
