// SPDX-License-Identifier: Apache-2.0
// Puts id maps in force for a process in a new user namespace. Host side.
#ifndef BRYO_SANDBOX_HOST_MAPS_H
#define BRYO_SANDBOX_HOST_MAPS_H

#include <sys/types.h>

struct err;
struct idmaps;

// Writes the maps of pid, which waits in a user namespace that the caller just created (so that the
// number cannot be used again), and reads them back: the kernel has the last word on what is in
// force. IDMAP_SUBIDS runs newuidmap(1) and newgidmap(1) side by side; IDMAP_SINGLE denies
// setgroups(2) first, as user_namespaces(7) asks of whoever has no privilege.
int host_maps_write(pid_t pid, const struct idmaps *maps, struct err *err);

#endif
