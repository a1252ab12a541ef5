// SPDX-License-Identifier: Apache-2.0
// What bryo-seccomp writes to its standard output, and what is cached: a head, a text, a program.
#ifndef BRYO_JOB_SECCOMP_WIRE_H
#define BRYO_JOB_SECCOMP_WIRE_H

#include <stdint.h>

#define SECCOMP_WIRE_MAGIC    UINT32_C(0x70637342) // "Bscp"
#define SECCOMP_WIRE_TEXT_MAX 65536
#define SECCOMP_JSON_MAX      (1 << 20) // bytes of a profile; docker's has 14 thousand

struct seccomp_wire {
    uint32_t magic;
    int32_t error;   // 0, or -errno: the text says why, and there is no program
    uint32_t flags;  // SECCOMP_FILTER_FLAG_*
    uint32_t text;   // bytes: notes, a line each; or the error
    uint32_t insns;  // struct sock_filter, each of 8 bytes
    uint32_t unused; // 0
};

#endif
