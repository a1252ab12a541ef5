// SPDX-License-Identifier: Apache-2.0
// Which system calls of a job go to whoever pretends that it is root of many ids: the front part of
// a filter program (seccomp(2)), which ends by answering or by going on to what is appended. Pure.
//
// Handed out: the chown and set*id families, mknod of a device, the get*id family, and of the stat
// family what names a path. Not fstat(2), statx(2) of a descriptor, nor a statx(2) that does not
// ask for an owner: they are half of all the stats that a compiler or the dynamic loader makes,
// each would cost some 8 microseconds instead of 1, and who copies or archives files has asked
// lstat(2) before. Programs of 32 bits are told that chown and set*id were done, and that is all.
#ifndef BRYO_JOB_FAKEFILTER_H
#define BRYO_JOB_FAKEFILTER_H

#include <linux/filter.h>
#include <stddef.h>

#define FAKEFILTER_MAX 160

// Returns how many instructions were written.
size_t fakefilter_write(struct sock_filter ret[FAKEFILTER_MAX]);

#endif
