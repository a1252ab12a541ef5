// SPDX-License-Identifier: Apache-2.0
#include "internal/sandbox/guest_stack.h"

#include <errno.h>
#include <sys/mman.h>

#define GUARD (64UL * 1024) // a page of any size that a machine has
#define ROOM  (512UL * 1024)

int guest_stack_make(struct guest_stack *ret)
{
    void *low = mmap(NULL, GUARD + ROOM, PROT_NONE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE, -1, 0);
    if (low == MAP_FAILED)
        return -errno;
    if (mprotect((char *)low + GUARD, ROOM, PROT_READ | PROT_WRITE) < 0) {
        int num = errno;
        (void)munmap(low, GUARD + ROOM);
        return -num;
    }
    *ret = (struct guest_stack){.low = low, .size = GUARD + ROOM};
    return 0;
}

char *guest_stack_top(const struct guest_stack *stack)
{
    return stack->low + stack->size;
}

void guest_stack_free(struct guest_stack *stack)
{
    if (stack->low)
        (void)munmap(stack->low, stack->size);
    stack->low = NULL;
}
