// SPDX-License-Identifier: Apache-2.0
// Words of OCI and docker profiles, and what they stand for. Each function returns 0, or -EINVAL
// for a word that is none.
#ifndef BRYO_JOB_SECCOMP_WORDS_H
#define BRYO_JOB_SECCOMP_WORDS_H

#include "internal/job/seccomp.h"

#include <stdint.h>

#define SECCOMP_ERRNO_MAX 4095 // the kernel takes no larger error number (MAX_ERRNO)

// "SCMP_CMP_EQ" and its like.
int seccomp_op(const char *word, enum seccomp_op *ret);

// "SCMP_ARCH_X86_64", "X86_64", "SCMP_ARCH_NATIVE". *ret is 0 for another processor's: a profile
// may list them all.
int seccomp_abi(const char *word, enum seccomp_abi native, unsigned *ret);

// As containers/common has it (getErrno()): a name of errno(3), or a number in decimal.
int seccomp_errno(const char *word, uint64_t *ret);

#endif
