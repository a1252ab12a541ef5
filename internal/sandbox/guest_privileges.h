// SPDX-License-Identifier: Apache-2.0
// From root of the user namespace to the job's user, with what a job needs and no more. Guest side.
#ifndef BRYO_SANDBOX_GUEST_PRIVILEGES_H
#define BRYO_SANDBOX_GUEST_PRIVILEGES_H

#include <stdint.h>

struct err;
struct sandbox_config;

// Bounds what this process and all that descend from it can ever gain to kept, a bit each, and
// clears the ambient set. Takes nothing from this process itself before it executes a program.
int guest_privileges_bound(uint64_t kept, struct err *err);

// Sets groups and ids, clears the inheritable capabilities, no_new_privs. The set that bounds them
// is inherited (guest_privileges_bound).
int guest_privileges_drop(const struct sandbox_config *config, struct err *err);

#endif
