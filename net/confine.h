// SPDX-License-Identifier: Apache-2.0
// bryo-net shuts itself in before the first frame of a job's: an empty root, no capability and no
// way to any, Landlock without a single rule, bounds on memory, no core, and the system calls of
// confine_calls.c. Host side.
//
// What is left in reach are the descriptors that it holds, and sockets of the machine's network.
#ifndef BRYO_NET_CONFINE_H
#define BRYO_NET_CONFINE_H

#include <stdbool.h>

struct err;

// One thread, nothing to be forked any more. A user namespace of its own gives the right to
// exchange the root; where the machine has no more of them, Landlock and the filter have to do.
int net_confine(struct err *err);

// The part of it that is a seccomp(2) filter: the last. Everything else gives EPERM.
int net_confine_calls(struct err *err);

#endif
