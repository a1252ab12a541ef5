// SPDX-License-Identifier: Apache-2.0
// PID 1 of the job: builds its root, starts the command, reaps every orphan, forwards signals,
// reports the command's end, and by its own end ends whatever is left. Guest side.
#ifndef BRYO_SANDBOX_GUEST_INIT_H
#define BRYO_SANDBOX_GUEST_INIT_H

struct sandbox_config;

_Noreturn void guest_init_main(const struct sandbox_config *config, int chan, int launcher_pidfd);

#endif
