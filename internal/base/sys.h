// SPDX-License-Identifier: Apache-2.0
// System calls that glibc 2.36 has no wrapper for, or whose wrapper does more than the call.
// Each returns a result >= 0 or -errno. One thin function a call: the place where strace(1) injects
// and where an older kernel's ENOSYS shows.
#ifndef BRYO_BASE_SYS_H
#define BRYO_BASE_SYS_H

#include <linux/sched.h>
#include <stdint.h>
#include <sys/types.h>

// clone3(2), without CLONE_VM: both sides go on on copies of the stack, as after fork(2).
// Returns 0 in the child, the pid (in the caller's PID namespace) in the parent.
pid_t sys_clone3(struct clone_args *args);

int sys_pidfd_open(pid_t pid, unsigned flags); // Linux 5.3
int sys_pidfd_send_signal(int pidfd, int sig); // Linux 5.1
// SCHED_OTHER's turns on a processor (sched_setattr(2), sched_runtime), which are given sooner when
// they are short: 0.1 to 100 ms. Linux 6.12; no effect before.
int sys_sched_slice(uint64_t ns);
int sys_close_range(unsigned first, unsigned last, unsigned flags); // Linux 5.9
int sys_pivot_root(const char *new_root, const char *put_old);

// openat2(2), Linux 5.6. resolve: RESOLVE_* of <linux/openat2.h>. O_CLOEXEC is always added.
int sys_openat2(int dirfd, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve);

int sys_open_tree(int dirfd, const char *path, unsigned flags); // Linux 5.2
int sys_move_mount(int from_fd, const char *from, int to_fd, const char *to,
                   unsigned flags); // Linux 5.2
int sys_fsopen(const char *fstype); // Linux 5.2
int sys_fsconfig(int fsfd, unsigned cmd, const char *key, const void *value, int aux);
int sys_fsmount(int fsfd, unsigned attr_flags);
// Linux 5.12: attributes of a mount, and with AT_RECURSIVE of all below it.
int sys_mount_setattr(int dirfd, const char *path, unsigned at_flags, uint64_t set, uint64_t clear);

#endif
