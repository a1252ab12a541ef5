// SPDX-License-Identifier: Apache-2.0
// The inside of userns_start(): a child in a new user namespace that does one thing. Guest side.
#ifndef BRYO_SANDBOX_GUEST_USERNS_H
#define BRYO_SANDBOX_GUEST_USERNS_H

#include "internal/sandbox/userns.h"

// Waits on the channel for the maps, makes the further namespaces, calls fn, reports, ends. The
// launcher is the process behind launcher_pidfd: the child dies when that does.
_Noreturn void guest_userns_main(int chan, int launcher_pidfd, uint64_t ns_flags, userns_fn *fn,
                                 void *ctx);

// PR_SET_PDEATHSIG, and a look at whether it came too late (the parent died between clone and here:
// getppid(2) says nothing across PID namespaces, a pidfd does). Does not return when it did.
void guest_die_with(int launcher_pidfd);

// Blocks until the launcher says that the maps are in force; leaves when it is gone.
void guest_wait_for_maps(int chan);

// Reports a failure on the channel and leaves with status 125.
_Noreturn void guest_fail(int chan, struct err *err, int stage);

#endif
