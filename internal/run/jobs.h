// SPDX-License-Identifier: Apache-2.0
// Jobs that run: each bryo keeps a record of its own in $XDG_RUNTIME_DIR/bryo/jobs (else that of
// /run/user/UID, else $XDG_CACHE_HOME/bryo/jobs) for as long as its job runs, and holds flock(2) on
// it: a record that nobody holds is what a killed bryo left. Host side.
#ifndef BRYO_RUN_JOBS_H
#define BRYO_RUN_JOBS_H

#include "internal/run/job_record.h"
#include "internal/run/supervise.h"

#include <stdbool.h>
#include <stdint.h>

struct err;
struct leaf;

// The directory; not made. The caller frees. -errno with err where there is no place for one.
int jobs_dir(char *const envp[], char **ret, struct err *err);

// Calls fn for the record of each job that runs, until it returns false; removes those of dead
// ones.
void jobs_each(const char *dir, bool (*fn)(void *ctx, const struct job_record *record), void *ctx);

// The one job whose id begins so. -ENOENT, -EEXIST (several) with err.
int jobs_find(const char *dir, const char *id, struct job_record *ret, struct err *err);

// Stops the job where it is, or lets it go on: by its cgroup's freezer, else by SIGSTOP and SIGCONT
// to all of its processes (which it can see, and undo). 0, or -errno with err.
int jobs_pause(const struct job_record *record, bool pause, struct err *err);

// Publishes a run's own record while its job runs. Nothing is said where that fails.
struct jobs_part {
    char *dir;
    int fd;
    const char *id; // borrowed, as are the others
    const struct job_spec *spec;
    const struct leaf *leaf;
    const struct supervisor *supervisor;
};
struct supervise_part jobs_part(struct jobs_part *p, char *const envp[], const char *id,
                                const struct job_spec *spec, const struct leaf *leaf);
void jobs_part_done(struct jobs_part *p);

#endif
