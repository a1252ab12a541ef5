// SPDX-License-Identifier: Apache-2.0
// Values of --time-offset.
#ifndef BRYO_JOB_TIMEOFFSET_H
#define BRYO_JOB_TIMEOFFSET_H

#include <stdint.h>

struct err;

struct time_offsets {
    int64_t boottime_s;  // added to CLOCK_BOOTTIME
    int64_t monotonic_s; // added to CLOCK_MONOTONIC
};

// boottime=SECS,monotonic=SECS in any order, one of them or both; SECS may be negative and may be a
// duration ("1d12h") of whole seconds. What is not named is 0. The kernel takes at most about 146
// years, and less than nothing only as far as the clock has come (time_namespaces(7)); the latter
// shows at the start of the job. -EINVAL, -ERANGE with err.
int timeoffset_parse(const char *value, struct time_offsets *ret, struct err *err);

#endif
