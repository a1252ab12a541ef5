// SPDX-License-Identifier: Apache-2.0
// Work that has to be done as root of a user namespace but is not a job: unpacking, removing files
// of subordinate ids. Host side.
#ifndef BRYO_SANDBOX_USERNS_H
#define BRYO_SANDBOX_USERNS_H

#include <stdint.h>
#include <sys/types.h>

struct err;
struct idmaps;

struct userns_task {
    pid_t pid;
    int pidfd;   // readable when it has ended
    int channel; // where a failure of fn comes from
};

// Runs in a child, in a new user namespace whose maps are in force, as uid 0 and gid 0 with all
// capabilities there; it dies with the launcher. May exec. Returning 0 ends the child with status
// 0; returning < 0 with err filled in reports that failure to userns_finish(). No stdio, no exit().
typedef int userns_fn(void *ctx, struct err *err);

// ns_flags: further CLONE_NEW* for the child (CLONE_NEWNET, CLONE_NEWNS ...), created after the
// maps.
int userns_start(const struct idmaps *maps, uint64_t ns_flags, userns_fn *fn, void *ctx,
                 struct userns_task *ret, struct err *err);

// Waits for the end and frees the task. Returns 0 with the wait status (waitpid(2)), or the child's
// failure.
int userns_finish(struct userns_task *task, int *ret_wait_status, struct err *err);

#endif
