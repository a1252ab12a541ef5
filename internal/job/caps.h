// SPDX-License-Identifier: Apache-2.0
// Capabilities by name, and the set that a job has inside (capabilities(7)). A set is a bit a
// capability, as in <linux/capability.h>.
#ifndef BRYO_JOB_CAPS_H
#define BRYO_JOB_CAPS_H

#include <stdint.h>

struct err;

// Docker's default set, less NET_RAW (raw packets on a network that others share) and MKNOD (of no
// use in a user namespace); NET_ADMIN and SYS_PTRACE were never in it. It is what package managers
// and build systems ask for.
uint64_t caps_default(void);

// All that <linux/capability.h> knew when this was built.
uint64_t caps_all(void);

// "CAP_NET_RAW", "net_raw" in any case, or "ALL", as docker takes them. -EINVAL with err filled in.
int caps_parse(const char *name, uint64_t *ret, struct err *err);

#endif
