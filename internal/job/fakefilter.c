// SPDX-License-Identifier: Apache-2.0
#include "internal/job/fakefilter.h"

#include <linux/audit.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#if defined(__x86_64__)
#define NATIVE  AUDIT_ARCH_X86_64
#define FOREIGN AUDIT_ARCH_I386
#elif defined(__aarch64__)
#define NATIVE  AUDIT_ARCH_AARCH64
#define FOREIGN AUDIT_ARCH_ARM
#else
#error "no list of system calls for this machine"
#endif

// Answered by the listener, whatever their arguments.
static const uint16_t handed_out[] = {
#ifdef SYS_chown
    SYS_chown,     SYS_lchown,     SYS_stat,     SYS_lstat,
#endif
    SYS_fstat,     SYS_newfstatat, SYS_statx,    SYS_fchown,    SYS_fchownat,  SYS_setuid,
    SYS_setgid,    SYS_setreuid,   SYS_setregid, SYS_setresuid, SYS_setresgid, SYS_setfsuid,
    SYS_setfsgid,  SYS_setgroups,  SYS_getuid,   SYS_geteuid,   SYS_getgid,    SYS_getegid,
    SYS_getresuid, SYS_getresgid,  SYS_getgroups};

// The same families of the 32-bit ABI of this machine. i386 and ARM have them under one number,
// fchownat and the 16-bit ones of ARM included, but for those behind.
static const uint16_t pretended[] = {16,  23,  46,  70,  71,  81,  95,  138, 139, 164, 170, 182,
                                     198, 203, 204, 206, 207, 208, 210, 212, 213, 214, 215, 216,
#if defined(__x86_64__)
                                     298
#else
                                     325
#endif
};

struct writer {
    struct sock_filter *at;
    struct sock_filter *start;
    struct sock_filter *exits[8]; // jumps to the end
    size_t n_exits;
};

static void put(struct writer *w, uint16_t code, uint8_t yes, uint8_t no, uint32_t k)
{
    *w->at++ = (struct sock_filter){code, yes, no, k};
}

static void load(struct writer *w, uint32_t offset)
{
    put(w, BPF_LD | BPF_W | BPF_ABS, 0, 0, offset);
}

// The low half, which is all that the kernel looks at in an int.
static uint32_t arg_offset(unsigned index)
{
    return (uint32_t)(offsetof(struct seccomp_data, args) + index * sizeof(uint64_t));
}

static void leave(struct writer *w)
{
    w->exits[w->n_exits++] = w->at;
    put(w, BPF_JMP | BPF_JA, 0, 0, 0);
}

static void when(struct writer *w, uint32_t nr, uint32_t answer)
{
    put(w, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, nr);
    put(w, BPF_RET | BPF_K, 0, 0, answer);
}

static void when_device(struct writer *w, uint32_t nr, unsigned mode_in)
{
    put(w, BPF_JMP | BPF_JEQ | BPF_K, 0, 6, nr);
    load(w, arg_offset(mode_in));
    put(w, BPF_ALU | BPF_AND | BPF_K, 0, 0, 0170000);
    put(w, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, 0020000); // S_IFCHR
    put(w, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0060000); // S_IFBLK
    put(w, BPF_RET | BPF_K, 0, 0, SECCOMP_RET_USER_NOTIF);
    leave(w);
}

// RLIMIT_LOCKS, which the kernel does not look at, says who a process passes for: whoever sets all
// limits to what they are elsewhere (pam_limits) leaves that one as it is, and believes otherwise.
static void keep_marks(struct writer *w)
{
    put(w, BPF_JMP | BPF_JEQ | BPF_K, 0, 8, SYS_prlimit64);
    load(w, arg_offset(1));
    put(w, BPF_JMP | BPF_JEQ | BPF_K, 0, 5, RLIMIT_LOCKS);
    load(w, arg_offset(2)); // the new value, where there is one
    put(w, BPF_JMP | BPF_JEQ | BPF_K, 0, 2, 0);
    load(w, arg_offset(2) + 4);
    put(w, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, 0);
    put(w, BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO);
    leave(w);
    put(w, BPF_JMP | BPF_JEQ | BPF_K, 0, 4, SYS_setrlimit);
    load(w, arg_offset(0));
    put(w, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, RLIMIT_LOCKS);
    put(w, BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO);
    leave(w);
}

// What lets a process keep its privilege when it becomes another (capabilities(7)).
static void when_keeps(struct writer *w)
{
    put(w, BPF_JMP | BPF_JEQ | BPF_K, 0, 5, SYS_prctl);
    load(w, arg_offset(0));
    put(w, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, PR_SET_KEEPCAPS);
    put(w, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, PR_SET_SECUREBITS);
    put(w, BPF_RET | BPF_K, 0, 0, SECCOMP_RET_USER_NOTIF);
    leave(w);
}

size_t fakefilter_write(struct sock_filter ret[FAKEFILTER_MAX])
{
    struct writer w = {.at = ret, .start = ret};
    load(&w, offsetof(struct seccomp_data, arch));
    struct sock_filter *to_foreign = w.at;
    put(&w, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, NATIVE);
    load(&w, offsetof(struct seccomp_data, nr));
    for (size_t i = 0; i < sizeof(handed_out) / sizeof(handed_out[0]); i++)
        when(&w, handed_out[i], SECCOMP_RET_USER_NOTIF);
    when_device(&w, SYS_mknodat, 2);
#ifdef SYS_mknod
    when_device(&w, SYS_mknod, 1);
#endif
    when_keeps(&w);
    keep_marks(&w);
    leave(&w);
    to_foreign->jf = (uint8_t)(w.at - to_foreign - 1);
    struct sock_filter *to_end = w.at;
    put(&w, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, FOREIGN);
    load(&w, offsetof(struct seccomp_data, nr));
    for (size_t i = 0; i < sizeof(pretended) / sizeof(pretended[0]); i++)
        when(&w, pretended[i], SECCOMP_RET_ERRNO);
    to_end->jf = (uint8_t)(w.at - to_end - 1);
    for (size_t i = 0; i < w.n_exits; i++)
        w.exits[i]->k = (uint32_t)(w.at - w.exits[i] - 1);
    return (size_t)(w.at - w.start);
}
