// SPDX-License-Identifier: Apache-2.0
// Why a job failed, as far as it can be proven, and what to set. Pure: evidence in, words out.
//
// Only what the evidence says is said. Where several causes are possible, what is known of each is
// told and the conclusion left to the reader.
#ifndef BRYO_RUN_VERDICT_H
#define BRYO_RUN_VERDICT_H

#include "internal/jobs/host_procs.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct job_result;
struct job_spec;

#define EVIDENCE_PROCESSES 256
#define SPACE_LOW_BYTES    (UINT64_C(64) << 10)

struct evidence {
    // at the deadline, and when the grace was over
    struct seen_process *running;
    size_t n_running;
    struct seen_process *held_on;
    size_t n_held_on;
    bool grace_over;

    // the signal that asked bryo to end: signalfd_siginfo(2)
    int signal;             // 0: none
    bool signal_by_request; // it was bryo kill or bryo stop: the job only was to get it
    int signal_code;
    uint32_t signal_uid;
    int signal_pid;
    char signal_name[16]; // of the sender, "" where it was gone

    // the largest process at a moment when memory was at its limit; name "" where none was seen
    struct seen_process largest;
    // from the kernel's log, where this user may read it
    char victim_name[16];
    uint64_t victim_bytes;
    int syscall;           // the number in a SIGSYS's audit record; -1: not known
    uint32_t syscall_arch; // AUDIT_ARCH_*

    // the file system of the scratch
    bool scratch_known;
    bool scratch_full; // less than SPACE_LOW_BYTES, or no inode, left for this user
    uint64_t scratch_free_bytes;
    char scratch_path[256];
};

// Fills result->cause and result->verdict; leaves them empty where there is nothing to say.
void verdict_make(const struct job_spec *spec, const struct evidence *evidence,
                  struct job_result *result);

#endif
