// SPDX-License-Identifier: Apache-2.0
#include "internal/sandbox/guest_stack.h"

#include <stddef.h>
#include <sys/mman.h>

#define GUARD 4096UL

char *guest_stack_new(void)
{
    char *low = mmap(NULL, GUARD + GUEST_STACK_SIZE, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE, -1, 0);
    if (low == MAP_FAILED)
        return NULL;
    if (mprotect(low, GUARD, PROT_NONE) < 0) {
        (void)munmap(low, GUARD + GUEST_STACK_SIZE);
        return NULL;
    }
    return low + GUARD + GUEST_STACK_SIZE;
}

void guest_stack_free(char *top)
{
    (void)munmap(top - GUEST_STACK_SIZE - GUARD, GUARD + GUEST_STACK_SIZE);
}
