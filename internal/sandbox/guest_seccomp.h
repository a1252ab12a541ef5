// SPDX-License-Identifier: Apache-2.0
// The job's system call filter. Guest side.
#ifndef BRYO_SANDBOX_GUEST_SECCOMP_H
#define BRYO_SANDBOX_GUEST_SECCOMP_H

struct guest_fault;
struct sandbox_seccomp;

// seccomp(2), after no_new_privs. With a listener its descriptor goes out over chan
// (CHANNEL_DESCRIPTOR, CHANNEL_TAG_SECCOMP): that sendmsg(2) is made under the filter. No process
// that exists already comes under it but the caller. errno stays as it is, but where the channel
// fails. 0 or -errno, with what failed in *fault.
int guest_seccomp_install(const struct sandbox_seccomp *filter, int chan,
                          struct guest_fault *fault);

#endif
