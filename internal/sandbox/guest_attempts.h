// SPDX-License-Identifier: Apache-2.0
// Tries what a job needs of the kernel, one thing after another, in a process that is there for
// nothing else. Guest side.
#ifndef BRYO_SANDBOX_GUEST_ATTEMPTS_H
#define BRYO_SANDBOX_GUEST_ATTEMPTS_H

struct err;

// One per attempt, written to a pipe as soon as it is made: what a filter that kills leaves unsaid
// is known by its absence.
struct attempt_record {
    int attempt; // enum attempt
    int num;
};

struct guest_attempts {
    int report;      // write end of the pipe
    const char *dir; // absolute: holds lower/file, upper/, work/, merged/; on the store's disk
};

// For userns_start(): as root of a new user namespace. Leaves mounts in a namespace of its own
// only.
int guest_attempts_in_userns(void *ctx, struct err *err);

// For a plain child: what takes no namespace.
void guest_attempts_plain(const struct guest_attempts *a);

#endif
