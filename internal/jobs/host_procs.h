// SPDX-License-Identifier: Apache-2.0
// The processes of a job, as /proc of the machine shows them. Host side, read-only.
#ifndef BRYO_JOBS_HOST_PROCS_H
#define BRYO_JOBS_HOST_PROCS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct seen_process {
    pid_t pid;      // on the machine
    pid_t inside;   // in the job
    bool leaf;      // has no children: what the others wait for
    char state;     // proc_pid_stat(5): R, S, D, T, Z ...
    char name[16];  // as the kernel has it
    char wchan[48]; // what it waits in, "" where the kernel does not say
    uint64_t rss_bytes;
};

// All that descends from init (without it), at most max of them. Those that end meanwhile are left
// out. Returns how many.
size_t host_procs_below(pid_t init, struct seen_process *ret, size_t max);

// Only the pids, which is quicker.
size_t host_procs_pids(pid_t init, pid_t *ret, size_t max);

// name of a process, "" where there is none. ret: at least 16 bytes.
void host_procs_name(pid_t pid, char *ret, size_t size);

struct usage;

// What init and all below it use now and have used, as far as /proc says: processor time (of those
// that were waited for too), resident memory (what two share counts twice), how many there are.
void host_procs_usage(pid_t init, struct usage *ret);

#endif
