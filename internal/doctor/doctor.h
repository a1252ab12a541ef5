// SPDX-License-Identifier: Apache-2.0
// bryo doctor: tries each thing that a job needs, on this machine and as this user. Host side.
#ifndef BRYO_DOCTOR_DOCTOR_H
#define BRYO_DOCTOR_DOCTOR_H

#include "internal/job/checkup.h"

struct err;

// Leaves nothing behind but bryo's own directory in the cache. Jobs that it runs print nothing.
// -errno where the examination itself could not be made.
int doctor_examine(char *const envp[], struct machine *ret_machine, struct checkup *ret,
                   struct err *err);

// How root is become here: NULL for root itself; else the absolute path of sudo(8), -ENOENT with a
// remedy where there is none.
int doctor_find_sudo(const char **ret, struct err *err);

// Runs one line of a finding's fix as root, in a minimal environment, its output on standard error.
// 0, or -errno with what failed.
int doctor_fix(const char *sudo, const char *line, struct err *err);

#endif
