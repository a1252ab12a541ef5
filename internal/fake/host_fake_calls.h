// SPDX-License-Identifier: Apache-2.0
// The answers of --fake-root, one system call at a time. Host side, in the process of host_fake.h.
#ifndef BRYO_FAKE_HOST_FAKE_CALLS_H
#define BRYO_FAKE_HOST_FAKE_CALLS_H

#include "internal/fake/host_fake_task.h"
#include "internal/job/faketable.h"

struct fake_calls {
    struct fake_server server;
    struct fake_table files;
    const char *why; // the job has one id; or NULL
    bool told;       // the user knows that something was pretended
};

// Says so, the first time.
void fake_calls_tell(struct fake_calls *f);

// Fills resp, whose id is filled already. ctx: a struct fake_calls.
void fake_calls_handle(void *ctx, const struct seccomp_notif *req, struct seccomp_notif_resp *resp);

#endif
