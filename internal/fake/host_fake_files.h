// SPDX-License-Identifier: Apache-2.0
// chown(2), mknod(2) and stat(2) of --fake-root. Host side, in the process of host_fake.h.
#ifndef BRYO_FAKE_HOST_FAKE_FILES_H
#define BRYO_FAKE_HOST_FAKE_FILES_H

#include "internal/fake/host_fake_calls.h"

#define FAKE_GO_ON 4096 // no errno: the kernel's own answer is right

// 0, -errno, or -FAKE_GO_ON.
int fake_files_answer(struct fake_calls *f, const struct seccomp_notif *req,
                      struct seccomp_notif_resp *resp);

#endif
