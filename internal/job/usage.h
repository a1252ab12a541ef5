// SPDX-License-Identifier: Apache-2.0
// What a job used, as the files of its cgroup tell it (Documentation/admin-guide/cgroup-v2.rst).
// Pure. A file that the kernel does not have leaves its figures unknown: never 0.
#ifndef BRYO_JOB_USAGE_H
#define BRYO_JOB_USAGE_H

#include <stddef.h>
#include <stdint.h>

#define USAGE_UNKNOWN UINT64_MAX

// X(name, file, key): figures of files with "key value" lines; "" for a file with one number, "max"
// being none.
#define USAGE_FIGURES(X)                              \
    X(cpu_usage_us, "cpu.stat", "usage_usec")         \
    X(cpu_user_us, "cpu.stat", "user_usec")           \
    X(cpu_system_us, "cpu.stat", "system_usec")       \
    X(throttled_us, "cpu.stat", "throttled_usec")     \
    X(throttled_times, "cpu.stat", "nr_throttled")    \
    X(memory_bytes, "memory.current", "")             \
    X(memory_peak_bytes, "memory.peak", "")           \
    X(swap_bytes, "memory.swap.current", "")          \
    X(swap_peak_bytes, "memory.swap.peak", "")        \
    X(memory_max_bytes, "memory.max", "")             \
    X(page_faults, "memory.stat", "pgfault")          \
    X(major_page_faults, "memory.stat", "pgmajfault") \
    X(oom_kills, "memory.events", "oom_kill")         \
    X(memory_max_hits, "memory.events", "max")        \
    X(ooms_here, "memory.events.local", "oom")        \
    X(processes, "pids.current", "")                  \
    X(processes_peak, "pids.peak", "")                \
    X(pids_max_hits, "pids.events", "max")

// Sums over devices (io.stat) and totals of stall (*.pressure), of which "some" is taken: the time
// in which at least one task waited.
#define USAGE_SUMS(X)                   \
    X(read_bytes, "io.stat", "rbytes")  \
    X(write_bytes, "io.stat", "wbytes") \
    X(read_ops, "io.stat", "rios")      \
    X(write_ops, "io.stat", "wios")

#define USAGE_STALLS(X)                           \
    X(cpu_stall_us, "cpu.pressure", "some")       \
    X(memory_stall_us, "memory.pressure", "some") \
    X(io_stall_us, "io.pressure", "some")

struct usage {
#define USAGE_FIELD(name, file, key) uint64_t name;
    USAGE_FIGURES(USAGE_FIELD)
    USAGE_SUMS(USAGE_FIELD)
    USAGE_STALLS(USAGE_FIELD)
#undef USAGE_FIELD
};

void usage_init(struct usage *u); // all unknown

// The files to read, each once; NULL behind the last.
extern const char *const usage_files[];

// Takes what a file says. Text that is not of the form leaves the figures as they are.
void usage_parse(struct usage *u, const char *file, const char *text);

// The value of "key N" in a flat keyed file, USAGE_UNKNOWN where there is none.
uint64_t usage_keyed(const char *text, const char *key);

#endif
