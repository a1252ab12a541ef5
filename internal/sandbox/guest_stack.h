// SPDX-License-Identifier: Apache-2.0
// A stack for a process that shares memory with the one that clones it (CLONE_VM): an array in the
// caller's own frame. What grows beyond its lower end grows into stack that the caller does not use
// any more (it stands still, as after vfork(2), or has ended), not into somebody's data.
#ifndef BRYO_SANDBOX_GUEST_STACK_H
#define BRYO_SANDBOX_GUEST_STACK_H

struct guest_stack {
    _Alignas(16) char bytes[64UL * 1024];
};

// The upper end, as clone(2) wants it.
static inline char *guest_stack_top(struct guest_stack *stack)
{
    return stack->bytes + sizeof(stack->bytes);
}

#endif
