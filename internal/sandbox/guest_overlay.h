// SPDX-License-Identifier: Apache-2.0
// One overlay mount (Documentation/filesystems/overlayfs.rst). Guest side.
#ifndef BRYO_SANDBOX_GUEST_OVERLAY_H
#define BRYO_SANDBOX_GUEST_OVERLAY_H

#include <stddef.h>

struct guest_overlay {
    const int *lowers; // O_PATH of the read-only layers, topmost first
    size_t n_lowers;
    int scratch;     // O_PATH of the scratch directory
    const char *dir; // path below scratch of what holds upper/ and work/; "" for itself
};

// Mounts it onto target, writable, with "userxattr" (Linux 5.11: what a user namespace may) and
// "volatile" (no fsync of the job's reaches the disk: its root is disposable). 0 or -errno; -EINVAL
// says that this kernel cannot stack these layers, -E2BIG that it takes fewer (before Linux 6.7).
int guest_overlay_mount(const struct guest_overlay *o, int target);

// Makes dir/, dir/upper/ and dir/work/ below scratch. Those that exist stay.
int guest_overlay_make_dirs(int scratch, const char *dir);

#endif
