// SPDX-License-Identifier: Apache-2.0
// The cgroup of one job. Host side.
//
//     PLACE/bryo-launcher      the launcher, where it had to leave PLACE
//     PLACE/bryo-ID            the limits, the account, freezing and killing
//     PLACE/bryo-ID/job        the job, and the root of its cgroup namespace: its own to divide
//
// Two levels, since the root of a job may be the very user who started bryo: what that user owns
// the job may write, and it sees nothing above its "job". Limits that programs read to learn how
// much they may use stand in both; those of "job" can be raised from inside, to no avail.
//
// Whoever uses a leaf holds flock(2) on it: one that nobody holds is what a killed bryo left.
#ifndef BRYO_CGROUP_HOST_LEAF_H
#define BRYO_CGROUP_HOST_LEAF_H

#include <stdbool.h>

struct err;
struct limit_files;
struct place;
struct usage;

struct leaf {
    int place; // borrowed from struct place
    int outer; // PLACE/bryo-ID
    int inner; // PLACE/bryo-ID/job: for CLONE_INTO_CGROUP
    char name[32];
    char *path; // of outer
};

#define LEAF_INIT ((struct leaf){.place = -1, .outer = -1, .inner = -1})

// Looks whether what the files name is there (disks of io.max). -errno with err.
int host_leaf_check(const struct limit_files *files, struct err *err);

// Makes the leaf and sets its limits; on failure nothing of it is left. id: 12 hex digits.
int host_leaf_create(const struct place *place, const char *id, const struct limit_files *files,
                     struct leaf *ret, struct err *err);

// Kills what is in the leaf and removes it with all below. 0 or -errno.
int host_leaf_remove(struct leaf *leaf);

// Reads the account. Figures of files that are not there stay unknown.
void host_leaf_usage(const struct leaf *leaf, struct usage *ret);
// Those of them that are worth a sample a second.
void host_leaf_sample(const struct leaf *leaf, struct usage *ret);

// Freezes or thaws what is below dir, and waits until it is so. 0, -errno, -ETIMEDOUT.
int host_cgroup_freeze(int dir, bool freeze);

// Removes leaves that nobody holds, beside jobs that run; own: the name of one to leave alone.
void host_cgroup_sweep(int place, const char *own);

// Kills all below the cgroup name of parent and removes it. A missing one is no error.
int host_cgroup_remove(int parent, const char *name);

#endif
