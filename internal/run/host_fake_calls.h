// SPDX-License-Identifier: Apache-2.0
// The answers of --fake-root, one system call at a time. Host side, in the process of host_fake.h.
#ifndef BRYO_RUN_HOST_FAKE_CALLS_H
#define BRYO_RUN_HOST_FAKE_CALLS_H

#include "internal/job/faketable.h"
#include "internal/run/host_fake_task.h"

struct fake_calls {
    struct fake_server server;
    struct fake_table files;
};

// Fills resp (whose id is filled already). The call is of the native ABI.
void fake_calls_answer(struct fake_calls *f, const struct seccomp_notif *req,
                       struct seccomp_notif_resp *resp);

#endif
