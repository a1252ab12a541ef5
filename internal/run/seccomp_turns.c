// SPDX-License-Identifier: Apache-2.0
#include "internal/run/seccomp_turns.h"

#include <linux/seccomp.h>
#include <sys/ioctl.h>

// Older headers do not have them.
#ifndef SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP (1UL << 0)
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS      SECCOMP_IOW(4, __u64)
#endif

#define MANY 64

// An older kernel has no such flag: nothing is lost but time.
static void set(struct seccomp_turns *t, int listener, bool on)
{
    t->on = on;
    (void)ioctl(listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS,
                on ? SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP : 0UL);
}

void seccomp_turns_take(struct seccomp_turns *t, int listener, uint32_t pid)
{
    if (pid != t->pid) {
        t->pid = pid;
        t->in_a_row = 0;
        if (t->on)
            set(t, listener, false);
    } else if (!t->on && ++t->in_a_row >= MANY) {
        set(t, listener, true);
    }
}
