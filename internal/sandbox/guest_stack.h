// SPDX-License-Identifier: Apache-2.0
// Stacks for processes that share memory with the one that cloned them (CLONE_VM). Guest side.
#ifndef BRYO_SANDBOX_GUEST_STACK_H
#define BRYO_SANDBOX_GUEST_STACK_H

#define GUEST_STACK_SIZE (512UL * 1024)

// The upper end of a new stack, as clone(2) wants it, with a page below the lower end that faults;
// NULL with errno. Pages that are not touched cost nothing.
char *guest_stack_new(void);
void guest_stack_free(char *top);

#endif
