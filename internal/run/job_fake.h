// SPDX-License-Identifier: Apache-2.0
// --fake-root: what a job's filter hands out, and the process that answers. Host side.
#ifndef BRYO_RUN_JOB_FAKE_H
#define BRYO_RUN_JOB_FAKE_H

#include "internal/fake/host_fake.h"
#include "internal/job/fakefilter.h"
#include "internal/run/job_seccomp.h"

#include <stdbool.h>

struct host_identity;
struct job_spec;

struct job_fake {
    bool on;
    uint32_t uid; // inside; the job has no other
    uint32_t gid;
    const char *why; // there is only one; a static string, or NULL
    struct sock_filter front[FAKEFILTER_MAX];
    struct host_fake process;
    struct job_seccomp *seccomp;
    struct loop *loop;
    struct supervisor *supervisor;
};

// Decides whether it is on: where the job has one id, unless the spec says no.
void job_fake_init(struct job_fake *f, const struct job_spec *spec, const struct host_identity *id);

// For job_seccomp_prepare().
struct job_seccomp_handler job_fake_handler(struct job_fake *f);
void job_fake_done(struct job_fake *f);

#endif
