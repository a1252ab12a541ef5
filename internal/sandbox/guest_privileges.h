// SPDX-License-Identifier: Apache-2.0
// From root of the user namespace to the job's user, with what a job needs and no more. Guest side.
#ifndef BRYO_SANDBOX_GUEST_PRIVILEGES_H
#define BRYO_SANDBOX_GUEST_PRIVILEGES_H

struct err;
struct sandbox_config;

// Sets groups and ids, bounds the capabilities, clears inheritable and ambient ones, no_new_privs.
int guest_privileges_drop(const struct sandbox_config *config, struct err *err);

#endif
