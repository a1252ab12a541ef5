// SPDX-License-Identifier: Apache-2.0
// Names and numbers of system calls. libseccomp knows those of the kernel it was released beside;
// what came later is here: since Linux 5.1 a new call has one number in every ABI.
#include "internal/base/cleanup.h"
#include "internal/job/seccomp.h"

#include <linux/audit.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>

#define X32_BIT 0x40000000

static const struct {
    char name[24];
    int nr;
} unified[] = {
    {"process_mrelease", 448},  {"futex_waitv", 449},      {"set_mempolicy_home_node", 450},
    {"cachestat", 451},         {"fchmodat2", 452},        {"map_shadow_stack", 453},
    {"futex_wake", 454},        {"futex_wait", 455},       {"futex_requeue", 456},
    {"statmount", 457},         {"listmount", 458},        {"lsm_get_self_attr", 459},
    {"lsm_set_self_attr", 460}, {"lsm_list_modules", 461}, {"mseal", 462},
    {"setxattrat", 463},        {"getxattrat", 464},       {"listxattrat", 465},
    {"removexattrat", 466},     {"open_tree_attr", 467},   {"file_getattr", 468},
    {"file_setattr", 469},
};

// Of the 64-bit x86 ABI alone: what the kernel's own trampolines call (a probe's return).
static const struct {
    char name[12];
    int nr;
} x86_64_only[] = {{"uretprobe", 335}, {"uprobe", 336}};

// i386 got the calls behind socketcall(2) and ipc(2) in Linux 4.3 and 5.1; libseccomp gives them
// negative numbers there, to be rewritten as rules for the two.
static const struct {
    char name[12];
    int nr;
} i386_direct[] = {
    {"socket", 359},      {"socketpair", 360},  {"bind", 361},       {"connect", 362},
    {"listen", 363},      {"accept4", 364},     {"getsockopt", 365}, {"setsockopt", 366},
    {"getsockname", 367}, {"getpeername", 368}, {"sendto", 369},     {"sendmsg", 370},
    {"recvfrom", 371},    {"recvmsg", 372},     {"shutdown", 373},   {"semget", 393},
    {"semctl", 394},      {"shmget", 395},      {"shmctl", 396},     {"shmat", 397},
    {"shmdt", 398},       {"msgget", 399},      {"msgsnd", 400},     {"msgrcv", 401},
    {"msgctl", 402},
};

#define N(array) (sizeof(array) / sizeof((array)[0]))

static uint32_t token(enum seccomp_abi abi)
{
    switch (abi) {
    case SECCOMP_X86_64:
        return SCMP_ARCH_X86_64;
    case SECCOMP_X32:
        return SCMP_ARCH_X32;
    case SECCOMP_I386:
        return SCMP_ARCH_X86;
    case SECCOMP_AARCH64:
        return SCMP_ARCH_AARCH64;
    case SECCOMP_ARM:
        return SCMP_ARCH_ARM;
    }
    return 0;
}

int seccomp_number(enum seccomp_abi abi, const char *call)
{
    for (size_t i = 0; i < N(unified); i++)
        if (strcmp(unified[i].name, call) == 0)
            return abi == SECCOMP_X32 ? unified[i].nr | X32_BIT : unified[i].nr;
    for (size_t i = 0; i < N(x86_64_only) && abi == SECCOMP_X86_64; i++)
        if (strcmp(x86_64_only[i].name, call) == 0)
            return x86_64_only[i].nr;
    for (size_t i = 0; i < N(i386_direct) && abi == SECCOMP_I386; i++)
        if (strcmp(i386_direct[i].name, call) == 0)
            return i386_direct[i].nr;
    return seccomp_syscall_resolve_name_arch(token(abi), call);
}

// What a profile for many processors names (moby's does), which libseccomp does not know yet.
static const char *const elsewhere[] = {"riscv_hwprobe"};

bool seccomp_is_call(const char *call)
{
    for (size_t i = 0; i < N(elsewhere); i++)
        if (strcmp(elsewhere[i], call) == 0)
            return true;
    // Where one ABI has it, libseccomp gives the others a negative number of its own instead of
    // __NR_SCMP_ERROR.
    return seccomp_number(SECCOMP_X86_64, call) != __NR_SCMP_ERROR;
}

char *seccomp_name(uint32_t audit_arch, uint32_t nr)
{
    bool x32 = audit_arch == AUDIT_ARCH_X86_64 && (nr & X32_BIT);
    for (size_t i = 0; i < N(unified); i++)
        if ((uint32_t)unified[i].nr == (x32 ? nr ^ X32_BIT : nr))
            return str_dup(unified[i].name);
    for (size_t i = 0; i < N(x86_64_only) && audit_arch == AUDIT_ARCH_X86_64; i++)
        if ((uint32_t)x86_64_only[i].nr == nr)
            return str_dup(x86_64_only[i].name);
    for (size_t i = 0; i < N(i386_direct) && audit_arch == AUDIT_ARCH_I386; i++)
        if ((uint32_t)i386_direct[i].nr == nr)
            return str_dup(i386_direct[i].name);
    return seccomp_syscall_resolve_num_arch(x32 ? SCMP_ARCH_X32 : audit_arch, (int)nr);
}
