// SPDX-License-Identifier: Apache-2.0
// How a run ended: the data behind the exit status and --result.
#ifndef BRYO_JOB_RESULT_H
#define BRYO_JOB_RESULT_H

#include "internal/base/err.h"
#include "internal/job/usage.h"

#include <stdbool.h>
#include <stdint.h>

struct buf;
struct rusage;

enum outcome {
    OUTCOME_FAILED,  // bryo itself failed: err says at which stage; exit status 125 (or 126, 127)
    OUTCOME_EXITED,  // the command ended by itself with status
    OUTCOME_SIGNAL,  // the command was ended by signal
    OUTCOME_TIMEOUT, // --timeout; exit status 124
    OUTCOME_STALLED, // --stall-timeout; exit status 124
};

struct job_result {
    enum outcome outcome;
    int status; // OUTCOME_EXITED: 0 to 255
    int signal; // OUTCOME_SIGNAL: 1 to 64
    bool core_dumped;
    bool started;       // the command's program was executed
    struct err err;     // OUTCOME_FAILED; num 0 otherwise
    uint64_t wall_us;   // from the command's start to its end
    uint64_t launch_us; // from bryo's start to the command's
    uint64_t user_us;   // of everything that ran inside
    uint64_t system_us;
    uint64_t max_rss_bytes; // of the largest process
    uint64_t minor_faults;
    uint64_t major_faults;
    uint64_t read_blocks; // of 512 bytes, as getrusage(2) counts
    uint64_t write_blocks;
    bool has_usage;     // false: the figures from user_us on are not known (null in JSON)
    const char *cause;  // "out-of-memory" ..., NULL where it is not known; a static string
    char verdict[1024]; // the same in words, and what to set; "" where it is not known
    struct usage usage; // of the job's cgroup; unknown where it had none
    char id[17];        // of the job
    char kept[4096];    // directory of the kept scratch, "" when nothing was kept
};

// 0 to 255, as README's table has them: the job's own, 128+n, 124, 125, 126 (found, not
// executable), 127 (not found).
int result_exit_status(const struct job_result *r);

// What getrusage(2) says of everything that ran inside.
void result_set_rusage(struct job_result *r, const struct rusage *u);

// One JSON object with a final newline (RFC 8259).
void result_to_json(const struct job_result *r, struct buf *out);

#endif
