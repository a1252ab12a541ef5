// SPDX-License-Identifier: Apache-2.0
// System calls by the kernel's own convention: a result >= 0 or -errno, and errno itself, which
// libc keeps for a thread, is not touched. For a process that shares its memory with another one
// that runs at the same time (CLONE_VM without CLONE_VFORK): the two have one errno, and a failure
// of the one would be read by the other.
// Sources: syscall(2) "Architecture calling conventions".
#ifndef BRYO_BASE_RAW_H
#define BRYO_BASE_RAW_H

#include <stdint.h>
#include <sys/syscall.h>

static inline long raw_syscall(long nr, long a, long b, long c, long d, long e)
{
#if defined(__x86_64__)
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    long r = nr;
    __asm__ volatile("syscall"
                     : "+a"(r)
                     : "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8)
                     : "rcx", "r11", "memory");
    return r;
#elif defined(__aarch64__)
    register long x8 __asm__("x8") = nr;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    register long x3 __asm__("x3") = d;
    register long x4 __asm__("x4") = e;
    __asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4) : "memory");
    return x0;
#elif defined(__riscv) && __riscv_xlen == 64
    register long a7 __asm__("a7") = nr;
    register long a0 __asm__("a0") = a;
    register long a1 __asm__("a1") = b;
    register long a2 __asm__("a2") = c;
    register long a3 __asm__("a3") = d;
    register long a4 __asm__("a4") = e;
    __asm__ volatile("ecall" : "+r"(a0) : "r"(a7), "r"(a1), "r"(a2), "r"(a3), "r"(a4) : "memory");
    return a0;
#else
#error "how does this architecture call its kernel?"
#endif
}

static inline long raw_address(const void *p)
{
    return (long)(intptr_t)p;
}

#endif
