// SPDX-License-Identifier: Apache-2.0
// Values of --ulimit.
#ifndef BRYO_JOB_ULIMIT_H
#define BRYO_JOB_ULIMIT_H

#include "internal/job/spec.h"

struct err;

// NAME=SOFT[:HARD]: docker's names ("nofile", "core", ...; also "as"), numbers in the units of
// getrlimit(2), or -1 or "unlimited". HARD defaults to SOFT. -EINVAL with err.
int ulimit_parse(const char *value, struct rlimit_req *ret, struct err *err);

// The name for a RLIMIT_*, "" when there is none.
const char *ulimit_name(int resource);

#endif
