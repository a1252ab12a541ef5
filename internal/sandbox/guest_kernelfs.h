// SPDX-License-Identifier: Apache-2.0
// /proc, /sys, /sys/fs/cgroup and /tmp of the job. Guest side.
#ifndef BRYO_SANDBOX_GUEST_KERNELFS_H
#define BRYO_SANDBOX_GUEST_KERNELFS_H

struct err;
struct sandbox_config;

// What a hidden file shows as: /dev/null, and an empty directory. O_PATH; the caller closes them.
struct guest_blanks {
    int file;
    int dir;
};

int guest_kernelfs_proc(int rootfd, const struct sandbox_config *config,
                        struct guest_blanks *ret_blanks, struct err *err);

// The rest, in the job's network namespace: a sysfs belongs to the one that mounts it.
int guest_kernelfs_rest(int rootfd, const struct sandbox_config *config,
                        const struct guest_blanks *blanks, struct err *err);

#endif
