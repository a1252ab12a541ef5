// SPDX-License-Identifier: Apache-2.0
// The job's root: read-only layers below, a scratch layer of its own above. Guest side, PID 1.
#ifndef BRYO_SANDBOX_GUEST_ROOT_H
#define BRYO_SANDBOX_GUEST_ROOT_H

#include <stdbool.h>

struct err;
struct sandbox_root;

struct guest_root {
    int fd; // O_PATH
    bool
        bind_etc; // the files of the init layer are in no layer: they have to be mounted one by one
    char notice[256]; // "", or what the user should be told where the root is less than was asked
                      // for
};

// Makes the mounts of the new namespace private. Comes before any of them is cloned: a clone keeps
// what it has, and would go on receiving what is mounted on the machine.
int guest_root_detach(struct err *err);

// Mounts the root over the scratch directory.
int guest_root_mount(const struct sandbox_root *root, struct guest_root *ret, struct err *err);

// --read-only, after everything is mounted that had to be: the root itself, not what is mounted on
// it.
int guest_root_seal(int rootfd, const struct sandbox_root *root, struct err *err);

#endif
