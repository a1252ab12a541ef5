// SPDX-License-Identifier: Apache-2.0
// Why a step of the command's failed, for a process that shares its memory with PID 1 while that
// works (guest_command.h): kept as it is, and put into words when PID 1 stands still. Guest side.
#ifndef BRYO_SANDBOX_GUEST_FAULT_H
#define BRYO_SANDBOX_GUEST_FAULT_H

#include <stdint.h>

struct err;

struct guest_fault {
    int num;            // errno; 0: nothing failed
    int stage;          // enum stage
    const char *what;   // "cannot ..."
    const uint32_t *id; // ends the sentence; or NULL
    const char *hint;   // or NULL
};

// Notes it, unless r is 0 or more. Returns r.
static inline int guest_fault_note(struct guest_fault *f, int r, const char *what)
{
    if (r < 0)
        *f = (struct guest_fault){.num = -r, .stage = f->stage, .what = what};
    return r;
}

// Returns -num.
int guest_fault_tell(const struct guest_fault *f, struct err *err);

#endif
