// SPDX-License-Identifier: Apache-2.0
// Takes away what a killed bryo left behind, while the job runs: a start does not wait for it, and
// a large leftover does not hold up signals and deadlines. Host side.
#ifndef BRYO_ROOTS_SWEEP_H
#define BRYO_ROOTS_SWEEP_H

#include <sys/types.h>

struct scratch;

struct sweep {
    pid_t pid; // 0: nothing to do, which is the usual case
};

void sweep_start(struct sweep *sweep, const struct scratch *own);
void sweep_finish(struct sweep *sweep); // waits for it

#endif
