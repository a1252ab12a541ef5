// SPDX-License-Identifier: Apache-2.0
// What the command leaves behind before it is told where it will run: the user's session and
// keyring, ignored signals, ids, capabilities, and system calls. Loading the filter takes the
// kernel as long as half of the mounts, and PID 1 makes these meanwhile. Guest side.
#ifndef BRYO_SANDBOX_GUEST_SHED_H
#define BRYO_SANDBOX_GUEST_SHED_H

#include <stdbool.h>

struct guest_fault;
struct sandbox_config;

// Whether the filter can be loaded before the command's last steps. A profile of the user's may
// refuse what they need, and Landlock's rules name files of the root.
bool guest_shed_filter_early(const struct sandbox_config *config);

// All but the filter, and with filter_early that as well. errno stays PID 1's (base/raw.h).
// 0 or -errno, with what failed in *fault.
int guest_shed(const struct sandbox_config *config, int chan, struct guest_fault *fault);

#endif
