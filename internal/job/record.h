// SPDX-License-Identifier: Apache-2.0
// What is written down of a job while it runs, and of a detached one until it is removed: for ps,
// inspect and those that act on it. Pure.
#ifndef BRYO_JOB_RECORD_H
#define BRYO_JOB_RECORD_H

#include "internal/base/buf.h"

#include <stdbool.h>
#include <stdint.h>

struct job_record {
    char *id;   // 12 hex digits
    char *name; // of --name, or ""
    struct strv command;
    struct strv labels; // NAME=VALUE
    struct strv ports;  // published, "0.0.0.0:8080->80/tcp"
    char *rootfs;       // as the user wrote it; "host"
    char *workdir;      // inside
    char *cgroup;       // absolute path of the job's leaf, "" where it has none
    uint64_t started_s; // CLOCK_REALTIME
    uint64_t bryo;      // pid of the supervisor
    uint64_t init;      // pid of the job's PID 1, on the machine
    bool detached;
    bool tty;
    bool interactive;
};

void job_record_done(struct job_record *r);
#define AUTO_JOB_RECORD AUTO(job_record_done)

void job_record_format(const struct job_record *r, struct buf *out);

// Strict: what job_record_format() writes. -EINVAL on anything else; *ret is untouched then.
int job_record_parse(const char *text, struct job_record *ret);

#endif
