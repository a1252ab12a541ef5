// SPDX-License-Identifier: Apache-2.0
// The environment of a job: clean, plus what the user names. Pure: the outer environment and the
// texts of files are handed in.
#ifndef BRYO_JOB_JOBENV_H
#define BRYO_JOB_JOBENV_H

#include "internal/job/spec.h"

#include <stddef.h>

struct err;

// docker's and podman's default.
#define JOBENV_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// The value of a variable in envp, or NULL.
const char *jobenv_get(char *const envp[], const char *name);

// One -e value: NAME=VALUE, or NAME alone, which takes the value that it has outside (and adds
// nothing when it has none). Appends to *ret. -EINVAL with err: no name, or a blank in it.
int jobenv_assign(const char *value, char *const outer[], struct strv *ret, struct err *err);

// The text of an --env-file, in docker's format: a line each as above, leading blanks are dropped,
// lines that are empty or begin with "#" say nothing, values are taken as they stand (no quotes, no
// $), CRLF and a byte order mark are accepted. file: its name, for errors. -EINVAL with err, which
// says the line.
int jobenv_parse_file(const char *file, const char *text, size_t len, char *const outer[],
                      struct strv *ret, struct err *err);

// The whole environment of the job's command: PATH, HOME, USER (unless user is NULL), TERM and LANG
// as outside, CI=true inside of CI, then spec->env, where the last assignment to a name wins.
// Replaces *ret.
void jobenv_build(const struct job_spec *spec, char *const outer[], const char *home,
                  const char *user, struct strv *ret);

// "NAME=VALUE" in the place of what NAME was.
void jobenv_set(struct strv *env, const char *assignment);

#endif
