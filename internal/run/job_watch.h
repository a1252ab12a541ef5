// SPDX-License-Identifier: Apache-2.0
// What stands beside a running job and looks: for the verdict, and for samples. Host side.
#ifndef BRYO_RUN_JOB_WATCH_H
#define BRYO_RUN_JOB_WATCH_H

#include "internal/run/observe.h"
#include "internal/run/stats_log.h"

enum { JOB_WATCH_PARTS = 2 };

struct job_watch {
    struct observer observer;
    struct stats_log stats_log;
};

#define JOB_WATCH_NONE ((struct job_watch){.stats_log = STATS_LOG_NONE})

// Before the job exists. -errno with err.
int job_watch_look(struct job_watch *w, const struct job_spec *spec, struct err *err);

// Fills JOB_WATCH_PARTS of parts; what is pointed to has to live as long as the job.
void job_watch_parts(struct job_watch *w, const struct leaf *leaf, struct supervise_part *parts);

// Once the job is over: the verdict. uids: the job's; scratch: the directory, NULL where
// that is in memory.
void job_watch_conclude(struct job_watch *w, const struct job_spec *spec, const struct idmap *uids,
                        const char *scratch, struct job_result *result);

void job_watch_done(struct job_watch *w);

#endif
