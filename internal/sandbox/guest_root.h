// SPDX-License-Identifier: Apache-2.0
// The job's root: read-only layers below, a scratch layer of its own above. Guest side, PID 1.
#ifndef BRYO_SANDBOX_GUEST_ROOT_H
#define BRYO_SANDBOX_GUEST_ROOT_H

struct err;
struct sandbox_root;

// Makes the mount namespace private and mounts the root over the scratch directory. Returns in
// *ret_fd an O_PATH descriptor of it. *ret_notice: NULL, or what the user should be told (a static
// string) where the root is less than was asked for, since overlays stack two deep only.
int guest_root_mount(const struct sandbox_root *root, int *ret_fd, const char **ret_notice,
                     struct err *err);

// --read-only, after everything is mounted that had to be: the root itself, not what is mounted on
// it.
int guest_root_seal(int rootfd, const struct sandbox_root *root, struct err *err);

#endif
