// SPDX-License-Identifier: Apache-2.0
// The kernel's log, where this user may read it (kernel.dmesg_restrict=0): what it says of the
// processes of a job. Host side, read-only.
#ifndef BRYO_RUN_HOST_KMSG_H
#define BRYO_RUN_HOST_KMSG_H

#include <stdint.h>

struct evidence;

// Takes what was logged since from_us (CLOCK_MONOTONIC) about the cgroup called leaf ("": none).
void host_kmsg_read(uint64_t from_us, const char *leaf, struct evidence *ret);

// One record, as /dev/kmsg gives it ("PRIORITY,SEQUENCE,MICROSECONDS,FLAGS;TEXT"). Pure.
void host_kmsg_take(const char *record, uint64_t from_us, const char *leaf, struct evidence *ret);

#endif
