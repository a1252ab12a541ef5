// SPDX-License-Identifier: Apache-2.0
// The kernel's log, where this user may read it (kernel.dmesg_restrict=0): what it says of the
// processes of a job. Host side, read-only.
#ifndef BRYO_RUN_HOST_KMSG_H
#define BRYO_RUN_HOST_KMSG_H

#include <stdbool.h>
#include <stdint.h>

struct evidence;
struct idmap;

// Whose records are wanted: those of the job.
struct kmsg_job {
    const char *leaf;         // the name of its cgroup, "": none
    uint64_t from_ms;         // when it started, by CLOCK_REALTIME: for audit records
    const struct idmap *uids; // its users; NULL: none, so that no audit record is its
    bool forbidden;           // it seems to have made a forbidden call: a record is on its way
};

void host_kmsg_read(const struct kmsg_job *job, struct evidence *ret);

// One record, as /dev/kmsg gives it ("PRIORITY,SEQUENCE,MICROSECONDS,FLAGS;TEXT"). Pure.
void host_kmsg_take(const char *record, const struct kmsg_job *job, struct evidence *ret);

#endif
