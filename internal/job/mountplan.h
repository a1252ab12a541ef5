// SPDX-License-Identifier: Apache-2.0
// The order in which a job's mounts are made.
#ifndef BRYO_JOB_MOUNTPLAN_H
#define BRYO_JOB_MOUNTPLAN_H

#include "internal/job/spec.h"

#include <stddef.h>

// The workspace (where workspace is not NULL, at its own path) and the mounts of the spec, those
// nearer to the root first, so that none covers another that was asked for; at one depth the order
// given, at one target the last one given wins and the others are left out. The strings stay the
// spec's and the caller's; the caller frees the array.
struct mount_req *mountplan_build(const struct job_spec *spec, char *workspace, size_t *ret_n);

#endif
