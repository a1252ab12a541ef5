// SPDX-License-Identifier: Apache-2.0
// One overlay mount (Documentation/filesystems/overlayfs.rst). Guest side.
#ifndef BRYO_SANDBOX_GUEST_OVERLAY_H
#define BRYO_SANDBOX_GUEST_OVERLAY_H

struct guest_overlay {
    int above;       // O_PATH of a read-only layer above lower, or -1
    int lower;       // O_PATH of the lowest layer
    int scratch;     // O_PATH of the scratch directory
    const char *dir; // path below scratch of what holds upper/ and work/; "" for itself
};

// Mounts it onto target, writable, with "userxattr" (Linux 5.11: what a user namespace may) and
// "volatile" (no fsync of the job's reaches the disk: its root is disposable). 0 or -errno; -EINVAL
// says that this kernel cannot stack these layers.
int guest_overlay_mount(const struct guest_overlay *o, int target);

// Makes dir/, dir/upper/ and dir/work/ below scratch. Those that exist stay.
int guest_overlay_make_dirs(int scratch, const char *dir);

#endif
