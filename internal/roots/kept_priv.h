// SPDX-License-Identifier: Apache-2.0
// What diff and commit share.
#ifndef BRYO_ROOTS_KEPT_PRIV_H
#define BRYO_ROOTS_KEPT_PRIV_H

#include "internal/job/idmap.h"
#include "internal/roots/scratch.h"
#include "internal/roots/scratch_record.h"

#include <stdbool.h>

struct err;

struct kept {
    struct scratch scratch;
    struct scratch_record record;
    struct idmaps maps; // to look at it with: those of the job, with an id 0
    bool renamed;       // the job's one id was another than 0: uid and gid
    uint32_t uid;
    uint32_t gid;
};

// Holds the scratch of the kept job, so that no other job enters it meanwhile.
int kept_open(const char *id, struct kept *ret, struct err *err);
void kept_close(struct kept *k);
#define AUTO_KEPT AUTO(kept_close)

#endif
