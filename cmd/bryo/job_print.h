// SPDX-License-Identifier: Apache-2.0
// How the user's jobs look: a table, JSON.
#ifndef BRYO_CMD_JOB_PRINT_H
#define BRYO_CMD_JOB_PRINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct job_info;
struct usage;

// whole: commands are not cut.
void print_job_table(const struct job_info *jobs, size_t n, bool whole, int64_t now_s,
                     struct buf *out);

// An array, one object a line (RFC 8259); times as RFC 3339 in UTC. result: the text of the job's
// result, one for each, or NULL for none.
void print_job_json(const struct job_info *jobs, size_t n, const char *const *results,
                    int64_t now_s, struct buf *out);

struct job_stats {
    const struct job_info *job;
    const struct usage *now;
    const struct usage *before; // NULL: no share of a processor is known yet
    uint64_t between_us;
};

void print_stats_table(const struct job_stats *stats, size_t n, struct buf *out);
void print_stats_json(const struct job_stats *stats, size_t n, struct buf *out);

#endif
