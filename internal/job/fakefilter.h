// SPDX-License-Identifier: Apache-2.0
// Which system calls of a job go to whoever pretends that it is root of many ids: the front part of
// a filter program (seccomp(2)), which ends by answering or by going on to what is appended. Pure.
//
// Handed out: the chown and set*id families, mknod of a device, the get*id family, and all of the
// stat family that tells of owners. The last are many, and each costs some microseconds instead of
// one half. They would be worth handing out only once a file was given away; but
//   - a filter cannot be changed, and one that is added later can only forbid more than those
//   before
//     it: with chown(2) handed out from the start, stat(2) cannot be from then on, since a process
//     may have one listener only (EBUSY), and what a second filter hands out without one fails
//     (ENOSYS);
//   - a filter sees the call's number and arguments, nothing of the process that whoever is outside
//     could change to say "from now on";
//   - a process is given a filter by nobody but itself; by ptrace(2) it could be made to, but it
//   has
//     one tracer, which in a job shall be the job's own debugger;
//   - and the kernel's own answer cannot be made right: an owner that the user namespace does not
//   map
//     shows as nobody, whatever the file system says.
// So who answers has to be quick: internal/run/seccomp_turns.h. Without fstat(2) sed -i would take
// a file back that the job gave away. Programs of 32 bits are told that chown and set*id were done,
// and that is all.
#ifndef BRYO_JOB_FAKEFILTER_H
#define BRYO_JOB_FAKEFILTER_H

#include <linux/filter.h>
#include <stddef.h>

#define FAKEFILTER_MAX 160

// Returns how many instructions were written.
size_t fakefilter_write(struct sock_filter ret[FAKEFILTER_MAX]);

#endif
