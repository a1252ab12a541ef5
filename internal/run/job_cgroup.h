// SPDX-License-Identifier: Apache-2.0
// The cgroup of a run: what is asked of it, where it is, what it counted. Host side.
//
// A machine that delegates nothing to the user costs a run two small reads, and nothing else.
#ifndef BRYO_RUN_JOB_CGROUP_H
#define BRYO_RUN_JOB_CGROUP_H

#include "internal/cgroup/host_leaf.h"
#include "internal/cgroup/host_place.h"
#include "internal/job/limits.h"

#include <sched.h>
#include <stdbool.h>

struct err;
struct job_result;
struct job_spec;
struct sandbox_config;

struct job_cgroup {
    const struct job_spec *spec;
    struct place place;
    struct place_request request;
    char *helper;
    struct limit_files files; // those that will hold
    struct leaf leaf;         // outer is -1 where there is none
    bool use_affinity;        // in the place of cpuset
    cpu_set_t affinity;       // the launcher's own, for putting it back
};

#define JOB_CGROUP_INIT ((struct job_cgroup){.place = PLACE_INIT, .leaf = LEAF_INIT})

// Looks at everything that is asked for, and makes nothing. Refuses what cannot be held, unless the
// spec says best effort: then it warns.
int job_cgroup_look(struct job_cgroup *jc, const struct job_spec *spec, char *const envp[],
                    struct err *err);

// Makes the leaf. id: of the job.
int job_cgroup_make(struct job_cgroup *jc, const char *id, struct err *err);

// What the job is born with that is no cgroup's, before the clone; and after it.
int job_cgroup_before_clone(struct job_cgroup *jc, struct err *err);
void job_cgroup_after_clone(struct job_cgroup *jc);

// Takes away what killed ones left, while the job runs.
void job_cgroup_sweep(const struct job_cgroup *jc);

// Reads the account into *result, where somebody wants it or the job failed. Once nothing of the
// job is left.
void job_cgroup_account(const struct job_cgroup *jc, struct job_result *result);

// Removes the leaf and frees the struct.
void job_cgroup_end(struct job_cgroup *jc);

#endif
