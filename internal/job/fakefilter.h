// SPDX-License-Identifier: Apache-2.0
// Which system calls of a job go to whoever pretends that it is root of many ids: the front part of
// a filter program (seccomp(2)), which ends by answering or by going on to what is appended. Pure.
//
// Handed out: the chown and set*id families, mknod of a device, the get*id family, and all of the
// stat family. The last are many, and each costs some 8 microseconds instead of 1; but a filter
// cannot be put in force later, when the first file was given away, nor see what a call is for, and
// without fstat(2) sed -i would take a file back that the job gave away. Programs of 32 bits are
// told that chown and set*id were done, and that is all.
#ifndef BRYO_JOB_FAKEFILTER_H
#define BRYO_JOB_FAKEFILTER_H

#include <linux/filter.h>
#include <stddef.h>

#define FAKEFILTER_MAX 160

// Returns how many instructions were written.
size_t fakefilter_write(struct sock_filter ret[FAKEFILTER_MAX]);

#endif
