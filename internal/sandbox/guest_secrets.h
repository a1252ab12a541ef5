// SPDX-License-Identifier: Apache-2.0
// The job's secrets as files, /run/secrets/NAME: in memory, read-only, mode 0400, the job's user's.
// Guest side.
#ifndef BRYO_SANDBOX_GUEST_SECRETS_H
#define BRYO_SANDBOX_GUEST_SECRETS_H

struct err;
struct sandbox_config;

// The files are there before the mount is: nobody sees half of them, and no name is looked up
// twice.
int guest_secrets_mount(int rootfd, const struct sandbox_config *config, struct err *err);

// Overwrites this process's copies of the values, in the job's environment too: once the command
// has its own.
void guest_secrets_forget(const struct sandbox_config *config);

#endif
