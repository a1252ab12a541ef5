// SPDX-License-Identifier: Apache-2.0
// /proc, /sys, /sys/fs/cgroup and /tmp of the job. Guest side.
#ifndef BRYO_SANDBOX_GUEST_KERNELFS_H
#define BRYO_SANDBOX_GUEST_KERNELFS_H

struct err;
struct sandbox_config;

int guest_kernelfs_mount(int rootfd, const struct sandbox_config *config, struct err *err);

#endif
