// SPDX-License-Identifier: Apache-2.0
// A child in a user namespace of its own whose id maps are in force before it does anything. Host
// side; what becomes of the child is the caller's.
#ifndef BRYO_SANDBOX_HOST_CLONE_H
#define BRYO_SANDBOX_HOST_CLONE_H

#include <sys/types.h>

struct err;
struct idmaps;

// Runs in the child, and does not return. chan: the child's end of a channel (channel.h), on which
// CHANNEL_GO comes when the maps stand; parent: a pidfd of the launcher, for telling whether it
// still lives.
typedef void host_clone_fn(void *ctx, int chan, int parent);

struct host_child {
    pid_t pid;
    int pidfd;   // the caller's to close
    int channel; // likewise
};

// cgroup: a directory of cgroup v2 that the child is born in (CLONE_INTO_CGROUP, Linux 5.7), or -1.
// On failure no child is left. Linux 5.3 (clone3).
int host_clone(const struct idmaps *maps, int cgroup, host_clone_fn *fn, void *ctx,
               struct host_child *ret, struct err *err);

#endif
