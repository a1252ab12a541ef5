// SPDX-License-Identifier: Apache-2.0
// A /dev of the job's own: six nodes of the machine, a pty instance, shared memory, links. Guest
// side.
#ifndef BRYO_SANDBOX_GUEST_DEV_H
#define BRYO_SANDBOX_GUEST_DEV_H

struct err;
struct idmaps;

int guest_dev_mount(int rootfd, const struct idmaps *maps, struct err *err);

#endif
