// SPDX-License-Identifier: Apache-2.0
// The read-only layers of a root that is no host root, opened. Guest side.
#ifndef BRYO_SANDBOX_GUEST_LAYERS_H
#define BRYO_SANDBOX_GUEST_LAYERS_H

#include "internal/base/cleanup.h"

#include <stddef.h>

struct err;
struct file_id;
struct sandbox_root;

struct guest_layers {
    int *fds;            // O_PATH, topmost first: the init layer, the layers, the root
    struct file_id *ids; // of each
    size_t n;
};

// Leaves out what cannot show: what lies below a layer whose top is opaque, and a layer that is
// there a second time further up.
int guest_layers_open(struct guest_layers *ret, const struct sandbox_root *root, struct err *err);
void guest_layers_close(struct guest_layers *layers);
#define AUTO_LAYERS AUTO(guest_layers_close)

#endif
