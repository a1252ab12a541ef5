// SPDX-License-Identifier: Apache-2.0
// A stack for a process that shares memory with the one that clones it (CLONE_VM) while both run:
// a mapping of its own, below which a page that nobody may touch ends what grows too far.
// Guest side.
#ifndef BRYO_SANDBOX_GUEST_STACK_H
#define BRYO_SANDBOX_GUEST_STACK_H

#include <stddef.h>

struct guest_stack {
    char *low; // of the mapping; NULL: there is none
    size_t size;
};

// 0 or -errno. Pages are only taken when they are used.
int guest_stack_make(struct guest_stack *ret);

// The upper end, as clone(2) wants it.
char *guest_stack_top(const struct guest_stack *stack);

// Only when whoever ran on it has ended or runs a program.
void guest_stack_free(struct guest_stack *stack);

#endif
