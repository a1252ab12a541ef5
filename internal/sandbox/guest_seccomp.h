// SPDX-License-Identifier: Apache-2.0
// The job's system call filter, put in force as the last thing before its program runs. Guest side.
#ifndef BRYO_SANDBOX_GUEST_SECCOMP_H
#define BRYO_SANDBOX_GUEST_SECCOMP_H

struct err;
struct sandbox_seccomp;

// seccomp(2), after no_new_privs. With a listener its descriptor goes out over chan
// (CHANNEL_DESCRIPTOR, CHANNEL_TAG_SECCOMP): that sendmsg(2) is made under the filter. No process
// that exists already comes under it but the caller.
int guest_seccomp_install(const struct sandbox_seccomp *filter, int chan, struct err *err);

#endif
