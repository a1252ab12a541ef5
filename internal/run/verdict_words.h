// SPDX-License-Identifier: Apache-2.0
// The words of verdicts. Pure.
#ifndef BRYO_RUN_VERDICT_WORDS_H
#define BRYO_RUN_VERDICT_WORDS_H

#include "internal/jobs/host_procs.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

void verdict_size(struct buf *out, uint64_t bytes);        // "100 MiB"
void verdict_option_size(struct buf *out, uint64_t bytes); // "150m", as --memory takes it
void verdict_duration(struct buf *out, uint64_t us);       // "1h30m", "300ms"
void verdict_name(struct buf *out, const char *name);      // of a process
void verdict_signal(struct buf *out, int sig);             // "SIGKILL"

// Those that a program brings upon itself: SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, SIGSYS ...
bool verdict_is_crash(int sig);
const char *verdict_signal_words(int sig); // "segmentation fault"

// " The system call was NAME (number N)."
void verdict_syscall(struct buf *out, int number, uint32_t arch);

// lead, then the processes that the others wait for: "cc1 (pid 9) was running"; nothing for none.
void verdict_processes(struct buf *out, const char *lead, const struct seen_process *p, size_t n);

#endif
