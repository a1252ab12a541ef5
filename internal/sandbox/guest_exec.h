// SPDX-License-Identifier: Apache-2.0
// Finding and executing the job's program, in the job's own root, by the job's own PATH. Guest
// side.
#ifndef BRYO_SANDBOX_GUEST_EXEC_H
#define BRYO_SANDBOX_GUEST_EXEC_H

struct err;
struct sandbox_config;

// Returns only on failure: err->num is ENOENT where there is no such command (exit status 127), and
// something else where there is one that cannot be executed (126).
int guest_exec(const struct sandbox_config *config, struct err *err);

#endif
