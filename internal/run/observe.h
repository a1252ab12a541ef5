// SPDX-License-Identifier: Apache-2.0
// What is noted while a job runs for the case that it fails (verdict.h). Host side.
#ifndef BRYO_RUN_OBSERVE_H
#define BRYO_RUN_OBSERVE_H

#include "internal/jobs/host_procs.h"
#include "internal/run/supervise.h"
#include "internal/run/verdict.h"

struct idmap;
struct leaf;

struct observer {
    const struct leaf *leaf; // borrowed; its outer is -1 where there is none
    struct evidence evidence;
    struct loop *loop;
    const struct supervisor *supervisor;
    int memory_events;     // of the leaf, -1: there is none
    uint64_t from_ms;      // CLOCK_REALTIME before the command ran
    uint64_t looked_at_us; // when the processes were last looked at for the largest
};

// Fills the struct. The part has to live as long as it.
struct supervise_part observer_part(struct observer *o, const struct leaf *leaf);

// Once the job is over: what remains to be asked, of the kernel's log about the job's users and of
// the file system that the job's scratch is on, and the verdict into *result.
void observer_conclude(struct observer *o, const struct job_spec *spec, const struct idmap *uids,
                       const char *scratch, struct job_result *result);

void observer_done(struct observer *o);

#endif
