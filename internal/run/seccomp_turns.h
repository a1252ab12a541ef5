// SPDX-License-Identifier: Apache-2.0
// How the kernel wakes those who wait for an answer (seccomp_unotify(2)). Host side.
//
// Whoever asks and whoever answers never run at once, and SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP (Linux
// 6.6) makes the kernel switch between the two on one processor instead of waking another: some 4
// microseconds a call, not 14. But it holds for the caller as well, who is woken where the answer
// was given. Two processes that ask in turn end on one processor, while the other stands idle, and
// a build with two compilers takes half as long again. So the flag is set only as long as one task
// asks many times in a row.
#ifndef BRYO_RUN_SECCOMP_TURNS_H
#define BRYO_RUN_SECCOMP_TURNS_H

#include <stdbool.h>
#include <stdint.h>

struct seccomp_turns {
    uint32_t pid; // who asked last
    unsigned in_a_row;
    bool on;
};

// pid has asked, and is to be answered.
void seccomp_turns_take(struct seccomp_turns *t, int listener, uint32_t pid);

#endif
