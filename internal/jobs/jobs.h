// SPDX-License-Identifier: Apache-2.0
// The jobs of this user: a directory each, in $XDG_RUNTIME_DIR/bryo/jobs (else /run/user/UID, else
// the cache). It holds "record" (job/record.h), of a detached job "log" and, once it has ended,
// "result" (JSON); while it runs "control", a socket. Whoever supervises the job holds flock(2) on
// the directory: no lock, no job, however it ended. Host side.
#ifndef BRYO_JOBS_JOBS_H
#define BRYO_JOBS_JOBS_H

#include "internal/base/buf.h"
#include "internal/job/record.h"

#include <stdbool.h>
#include <stddef.h>

struct err;

#define JOBS_LOG     "log"
#define JOBS_RESULT  "result"
#define JOBS_CONTROL "control"
#define JOBS_PAUSED  "paused" // there while a job without a cgroup is stopped

// --- for the supervisor
// ---------------------------------------------------------------------------

struct job_dir {
    char *path; // absolute
    int fd;     // flock(2)ed; -1: none
};

#define JOB_DIR_NONE ((struct job_dir){.fd = -1})

// Makes and locks the directory of a job, in place of one of that id that has ended. -EEXIST when
// another job has this name (name may be ""). What killed ones left is removed on the way.
int jobs_create(char *const envp[], const char *id, const char *name, struct job_dir *ret,
                struct err *err);
int jobs_write_record(const struct job_dir *dir, const struct job_record *record, struct err *err);
int jobs_write_result(const struct job_dir *dir, const struct buf *json, struct err *err);
void jobs_remove(struct job_dir *dir); // and frees
void jobs_close(struct job_dir *dir);  // frees; the directory stays, and is nobody's

// --- for everyone else
// ----------------------------------------------------------------------------

enum job_state {
    JOB_RUNNING,
    JOB_PAUSED,
    JOB_EXITED, // it left a result
    JOB_DEAD,   // its supervisor was killed
};

struct job_info {
    struct job_record record;
    enum job_state state;
    char *path;       // of its directory
    int exit_status;  // JOB_EXITED
    uint64_t ended_s; // JOB_EXITED; CLOCK_REALTIME
};

const char *job_state_name(enum job_state state);

void job_info_done(struct job_info *info);
#define AUTO_JOB_INFO AUTO(job_info_done)

// Newest first. The caller frees with jobs_free().
int jobs_list(char *const envp[], struct job_info **ret, size_t *ret_n, struct err *err);
void jobs_free(struct job_info *jobs, size_t n);

// By name, by id, or by what only one id begins with.
int jobs_find(char *const envp[], const char *ref, struct job_info *ret, struct err *err);

// Looks again. -ENOENT: it has ended and is forgotten.
int jobs_refresh(struct job_info *info);

// Removes what an ended one left. -EBUSY: it runs.
int jobs_forget(const struct job_info *info, struct err *err);

#endif
