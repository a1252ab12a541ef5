// SPDX-License-Identifier: Apache-2.0
// The process whose system call is being answered: its memory, its directories, its pretended ids.
// Host side, in the process of host_fake.h.
//
// A number of a process counts only as long as its call waits: every descriptor that is opened by
// it is used after the kernel was asked whether the call still does (SECCOMP_IOCTL_NOTIF_ID_VALID).
#ifndef BRYO_FAKE_HOST_FAKE_TASK_H
#define BRYO_FAKE_HOST_FAKE_TASK_H

#include "internal/job/fakeids.h"

#include <limits.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct fake_known {
    struct fake_ids ids;
    uint64_t userns[2]; // device and inode of the user namespace in which they hold
};

struct fake_server {
    int listener;
    int proc;     // O_PATH of /proc
    uint32_t uid; // the one of each that the job has
    uint32_t gid;
    bool entered;           // this process is in the job's user namespace
    bool cannot;            // and never will be
    uint64_t root[3];       // device, inode and mount of the directory that is this one's root now
    uint64_t userns[2];     // the job's, once entered
    struct fake_known *ids; // that some process has; named by their index
    size_t n_ids;
};

// Whether the caller still waits. -ESRCH when not.
int fake_task_check(const struct fake_server *s, const struct seccomp_notif *req);

// Joins the job's user namespace, if that was not done yet: owners are then seen as the job does.
int fake_task_join(struct fake_server *s, const struct seccomp_notif *req);

// The same, and makes this process's root the caller's root: what a name means is then the kernel's
// to say. -errno: no name may be looked up.
int fake_task_enter(struct fake_server *s, const struct seccomp_notif *req);

// A string of the caller's, at most PATH_MAX with its NUL. -EFAULT, -ENAMETOOLONG.
int fake_task_string(const struct fake_server *s, const struct seccomp_notif *req, uint64_t address,
                     char ret[PATH_MAX]);
int fake_task_read(const struct fake_server *s, const struct seccomp_notif *req, uint64_t address,
                   void *ret, size_t n);
int fake_task_write(const struct fake_server *s, const struct seccomp_notif *req, uint64_t address,
                    const void *bytes, size_t n);

// What a directory descriptor of the caller stands for (AT_FDCWD: where it is), O_PATH. -EBADF.
int fake_task_dir(const struct fake_server *s, const struct seccomp_notif *req, int fd);

// Its umask; 022 where it cannot be told.
mode_t fake_task_umask(const struct fake_server *s, const struct seccomp_notif *req);

// Whether it has a capability (CAP_*). One that gave it up, as programs that confine themselves do,
// is not to be given by pretending what it was for.
bool fake_task_can(const struct fake_server *s, const struct seccomp_notif *req, int cap);

// The ids it passes for. False: those that it has. A process in a user namespace below the job's
// has the one that is mapped there.
bool fake_task_ids(struct fake_server *s, const struct seccomp_notif *req, struct fake_ids *ret);
void fake_task_ids_or_own(struct fake_server *s, const struct seccomp_notif *req,
                          struct fake_ids *ret);

// 1: the process passes for another from now on; 0: for what it is. -errno.
int fake_task_set_ids(struct fake_server *s, const struct seccomp_notif *req,
                      const struct fake_ids *ids);

#endif
