// SPDX-License-Identifier: Apache-2.0
// PID 1 of the job: builds its root, starts the command, reaps every orphan, forwards signals,
// reports the command's end, and by its own end ends whatever is left. Guest side.
#ifndef BRYO_SANDBOX_GUEST_INIT_H
#define BRYO_SANDBOX_GUEST_INIT_H

struct guest_netns;
struct sandbox_config;

// netns: how the job's network namespace comes; NULL where it has none of its own.
_Noreturn void guest_init_main(const struct sandbox_config *config, const struct guest_netns *netns,
                               int chan, int launcher_pidfd);

#endif
