// SPDX-License-Identifier: Apache-2.0
// Chooses the id maps of a job: what the user asked for, within what this machine grants. Host
// side.
#ifndef BRYO_SANDBOX_HOST_IDENTITY_H
#define BRYO_SANDBOX_HOST_IDENTITY_H

#include "internal/job/idmap.h"

#include <stdbool.h>
#include <stdint.h>

struct err;
struct job_spec;

struct host_identity {
    struct idmaps maps;
    bool real_root; // an id inside is root of the machine: what is left open there is really open
    const char *single; // why there is only one id, NULL when there are more; a static string
};

// --userns auto: the ids of the launcher's own namespace where it may write them (root there, which
// is bryo inside bryo), else the subordinate ranges where there are both ranges and both helpers,
// else one id. want_uid, want_gid: what a single id is called inside (0, or what -u names). -EINVAL
// with one clear line and its remedy where "subids", a map or an id cannot be had.
int host_identity_choose(const struct job_spec *spec, uint32_t want_uid, uint32_t want_gid,
                         struct host_identity *ret, struct err *err);

#endif
