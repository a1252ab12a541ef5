// SPDX-License-Identifier: Apache-2.0
// Shared by the two halves of jobs.h: those who own a job's directory, those who look.
#ifndef BRYO_JOBS_JOBS_PRIV_H
#define BRYO_JOBS_JOBS_PRIV_H

struct err;

// Absolute path of the folder of all jobs; it need not exist. The caller frees.
int jobs_folder(char *const envp[], char **ret, struct err *err);

// Removes what a killed supervisor left of jobs that nobody asked to be kept.
void jobs_sweep(const char *folder);

#endif
