// SPDX-License-Identifier: Apache-2.0
// What a job used, for people and for plots. Pure.
#ifndef BRYO_JOB_STATS_H
#define BRYO_JOB_STATS_H

#include "internal/job/usage.h"

#include <stdint.h>

struct buf;
struct job_result;

// One line without a newline; what is not known is left out.
void stats_line(const struct job_result *r, struct buf *out);

// The CSV file of --stats-log (RFC 4180): a header, then a row a sample. Counters are totals since
// the job's start; a figure that is not known is an empty field.
void stats_csv_header(struct buf *out);
void stats_csv_row(uint64_t elapsed_us, const struct usage *u, struct buf *out);

// The columns, in order; X(name in the file, field of struct usage).
#define STATS_COLUMNS(X)                    \
    X("user_us", cpu_user_us)               \
    X("system_us", cpu_system_us)           \
    X("throttled_us", throttled_us)         \
    X("memory_bytes", memory_bytes)         \
    X("memory_max_bytes", memory_max_bytes) \
    X("swap_bytes", swap_bytes)             \
    X("processes", processes)               \
    X("read_bytes", read_bytes)             \
    X("write_bytes", write_bytes)           \
    X("read_ops", read_ops)                 \
    X("write_ops", write_ops)               \
    X("cpu_stall_us", cpu_stall_us)         \
    X("memory_stall_us", memory_stall_us)   \
    X("io_stall_us", io_stall_us)

// Reads a whole file. Rows go to *ret, which the caller frees. 0, or -EINVAL with the number of the
// line that is none in *ret_line (counted from 1).
struct stats_row {
    uint64_t elapsed_us;
    struct usage usage;
};
int stats_csv_parse(const char *text, struct stats_row **ret, size_t *ret_n, size_t *ret_line);

#endif
