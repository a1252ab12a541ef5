// SPDX-License-Identifier: Apache-2.0
// Processors and memory nodes of a job where no cpuset controller is delegated: what the launcher
// has at the clone the job inherits. Host side.
#ifndef BRYO_RUN_HOST_AFFINITY_H
#define BRYO_RUN_HOST_AFFINITY_H

#include <sched.h>

struct err;
struct limits;

// -EINVAL where the limits name a processor or node that this process may not use. (A cpuset takes
// one that is not there without a word, and then holds nothing.)
int host_affinity_check(const struct limits *limits, struct err *err);

// Sets the calling process's; *ret_was is what it had.
int host_affinity_set(const struct limits *limits, cpu_set_t *ret_was, struct err *err);
void host_affinity_restore(const cpu_set_t *was);

#endif
