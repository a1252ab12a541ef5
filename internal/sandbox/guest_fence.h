// SPDX-License-Identifier: Apache-2.0
// --landlock: a second fence around the job, of another make than namespaces. Guest side.
#ifndef BRYO_SANDBOX_GUEST_FENCE_H
#define BRYO_SANDBOX_GUEST_FENCE_H

struct err;

// The caller and its children reach files only by way of this root (a descriptor or a path that
// leads elsewhere is of no use), send signals and connect to abstract sockets only among
// themselves, and mount nothing. After pivot_root(2) and no_new_privs.
int guest_fence_close(struct err *err);

#endif
