// SPDX-License-Identifier: Apache-2.0
// Users as the job's own root knows them: its passwd and group, and its id map. Host side.
#ifndef BRYO_RUN_JOB_USERS_H
#define BRYO_RUN_JOB_USERS_H

#include "internal/job/userdb.h"

struct err;
struct idmaps;
struct layers;
struct rootfs;

struct user_source {
    const struct rootfs *root;
    const struct layers *layers;
    const char *scratch; // absolute path of the job's, or NULL before there is one
};

// user: USER[:GROUP], NULL for root.
int job_users_find(const struct user_source *from, const char *user, struct job_user *ret,
                   struct err *err);

// Refuses a user or group that the map does not hold; supplementary groups that it does not hold
// are left out, since setgroups(2) would refuse them all.
int job_users_check(const struct idmaps *maps, const char *user, struct job_user *u,
                    struct err *err);

#endif
