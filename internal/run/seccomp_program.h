// SPDX-License-Identifier: Apache-2.0
// The program of a job's system call profile: from the cache, or made: bryo's own here, one from a
// file, which may be a stranger's, by bryo-seccomp. Host side.
#ifndef BRYO_RUN_SECCOMP_PROGRAM_H
#define BRYO_RUN_SECCOMP_PROGRAM_H

#include <linux/filter.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct job_spec;

struct seccomp_program {
    struct sock_filter *insns; // valid (seccomp_is_valid)
    size_t n;
    uint32_t flags; // SECCOMP_FILTER_FLAG_*
    char *notes;    // a line each, about what a profile said and cannot be kept; or ""
};

// Makes the program for what the spec asks: its profile, capabilities, --no-userns.
// bryo_dir/seccomp holds the cache.
int seccomp_program_get(const struct job_spec *spec, const char *bryo_dir,
                        struct seccomp_program *ret, struct err *err);
void seccomp_program_done(struct seccomp_program *p);

#endif
