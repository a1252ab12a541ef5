// SPDX-License-Identifier: Apache-2.0
// --stats-log: a sample of what the job uses, every so often, as a row of a CSV file. Host side.
#ifndef BRYO_RUN_STATS_LOG_H
#define BRYO_RUN_STATS_LOG_H

#include "internal/run/supervise.h"

#include <stdint.h>

struct leaf;

struct stats_log {
    int fd; // -1: nothing is asked for
    uint64_t interval_us;
    uint64_t started_us;
    uint64_t next_us;
    const struct leaf *leaf; // borrowed
    struct loop *loop;
};

#define STATS_LOG_NONE ((struct stats_log){.fd = -1})

// Opens the file of the spec, if it names one; before the job exists. -errno with err.
int stats_log_open(struct stats_log *log, const struct job_spec *spec, struct err *err);
struct supervise_part stats_log_part(struct stats_log *log, const struct leaf *leaf);
void stats_log_done(struct stats_log *log);

#endif
