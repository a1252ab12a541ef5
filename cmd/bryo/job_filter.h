// SPDX-License-Identifier: Apache-2.0
// --filter of bryo ps, by docker's rules.
#ifndef BRYO_CMD_JOB_FILTER_H
#define BRYO_CMD_JOB_FILTER_H

#include <stdbool.h>

struct err;
struct job_info;
struct strv;

// Whether it is one: KEY=VALUE, and the value can be one of the key's.
int job_filter_check(const char *filter, struct err *err);

// Whether the filters ask for jobs in a state, so that those that ended are meant as well.
bool job_filter_by_state(const struct strv *filters);

// One filter of each key must fit.
bool job_filter_passes(const struct strv *filters, const struct job_info *job);

#endif
