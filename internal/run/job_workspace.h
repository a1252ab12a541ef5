// SPDX-License-Identifier: Apache-2.0
// What becomes of the workspace when a job is over. Host side.
#ifndef BRYO_RUN_JOB_WORKSPACE_H
#define BRYO_RUN_JOB_WORKSPACE_H

#include <time.h>

struct idmaps;

struct job_workspace {
    const char *dir;           // NULL: the job had none, or is to leave it as it is
    const char *store;         // bryo's own directory, which may lie in it
    const struct idmaps *maps; // of the job
    struct timespec since;     // when the job began; {0}: it did not
};

// From here on, what changes in the workspace counts as the job's.
void job_workspace_begin(struct job_workspace *w);

// Gives the user what the job left to subordinate ids. What was there before keeps its owner: an
// unpacked root file system, say.
void job_workspace_end(const struct job_workspace *w);

#endif
