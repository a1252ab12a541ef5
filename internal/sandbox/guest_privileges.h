// SPDX-License-Identifier: Apache-2.0
// From root of the user namespace to the job's user, with what a job needs and no more. Guest side.
#ifndef BRYO_SANDBOX_GUEST_PRIVILEGES_H
#define BRYO_SANDBOX_GUEST_PRIVILEGES_H

struct guest_fault;
struct sandbox_config;

// Bounds what this process and all that descend from it can ever gain to config->caps, clears the
// ambient and the inheritable set, sets groups and ids, no_new_privs. errno stays as it is. 0 or
// -errno, with what failed in *fault.
int guest_privileges_drop(const struct sandbox_config *config, struct guest_fault *fault);

#endif
