// SPDX-License-Identifier: Apache-2.0
// The short-lived process between the launcher and PID 1: it holds the new user namespace while its
// maps are written, creates the other namespaces in it, and brings PID 1 to life. Guest side.
#ifndef BRYO_SANDBOX_GUEST_STAGER_H
#define BRYO_SANDBOX_GUEST_STAGER_H

struct sandbox_config;

_Noreturn void guest_stager_main(const struct sandbox_config *config, int chan, int launcher_pidfd);

#endif
