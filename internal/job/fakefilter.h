// SPDX-License-Identifier: Apache-2.0
// Which system calls of a job go to whoever pretends that it is root of many ids: the front part of
// a filter program (seccomp(2)), which ends by answering or by going on to what is appended. Pure.
//
// Handed out: the chown and set*id families, mknod of a device, the get*id family, and all of the
// stat family that tells of owners. Programs of 32 bits are told that chown and set*id were done,
// and that is all. Without fstat(2) sed -i would take a file back that the job gave away.
//
// Calls of the stat family are many, and each costs some microseconds instead of one half. They
// would be worth handing out only once a file was given away, but that cannot be had. A filter
// cannot be changed. One that is added later can only forbid more than those before it: a process
// may have one listener only (EBUSY), which it has for chown(2), and what a second filter hands out
// without one fails (ENOSYS). A filter sees a call's number and arguments, and nothing that whoever
// is outside could change to say "from now on". It is given to a process by nobody but itself; by
// ptrace(2) one could be made to take it, but a process has one tracer, and in a job that is the
// job's own debugger. Nor can the kernel's own answer be made right: an owner that the user
// namespace does not map shows as nobody, whatever the file system says. So whoever answers has to
// be quick: internal/run/seccomp_turns.h.
#ifndef BRYO_JOB_FAKEFILTER_H
#define BRYO_JOB_FAKEFILTER_H

#include <linux/filter.h>
#include <stddef.h>

#define FAKEFILTER_MAX 160

// Returns how many instructions were written.
size_t fakefilter_write(struct sock_filter ret[FAKEFILTER_MAX]);

#endif
