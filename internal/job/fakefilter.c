// SPDX-License-Identifier: Apache-2.0
#include "internal/job/fakefilter.h"

#include <linux/audit.h>
#include <linux/seccomp.h>
#include <linux/stat.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
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

// Answered by the listener, whatever their arguments; the last few only with some of these (leaf).
static const uint16_t handed_out[] = {
#ifdef SYS_chown
    SYS_chown,     SYS_lchown,     SYS_stat,      SYS_lstat,
#endif
    SYS_fstat,     SYS_newfstatat, SYS_statx,     SYS_fchown,    SYS_fchownat,  SYS_setuid,
    SYS_setgid,    SYS_setreuid,   SYS_setregid,  SYS_setresuid, SYS_setresgid, SYS_setfsuid,
    SYS_setfsgid,  SYS_setgroups,  SYS_getuid,    SYS_geteuid,   SYS_getgid,    SYS_getegid,
    SYS_getresuid, SYS_getresgid,  SYS_getgroups,
#ifdef SYS_mknod
    SYS_mknod,
#endif
    SYS_mknodat,   SYS_prctl,      SYS_prlimit64, SYS_setrlimit};

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

// The kernel looks through the program once for every number there is when it is loaded, and the
// job waits: so the numbers are searched, by halves, and not asked for one by one.
struct writer {
    struct sock_filter *start;
    size_t n;
    // What goes on to the end, behind the program, and what goes to the common answer before it.
    struct jump {
        size_t at;
        bool when_true;
    } ends[FAKEFILTER_MAX], answers[FAKEFILTER_MAX];
    size_t n_ends;
    size_t n_answers;
};

static size_t put(struct writer *w, uint16_t code, uint8_t yes, uint8_t no, uint32_t k)
{
    w->start[w->n] = (struct sock_filter){code, yes, no, k};
    return w->n++;
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

static void to_end(struct writer *w, size_t at, bool when_true)
{
    w->ends[w->n_ends++] = (struct jump){at, when_true};
}

static void to_answer(struct writer *w, size_t at, bool when_true)
{
    w->answers[w->n_answers++] = (struct jump){at, when_true};
}

static void set_jumps(struct writer *w, const struct jump *jumps, size_t n, size_t target)
{
    for (size_t i = 0; i < n; i++) { // all in reach, with FAKEFILTER_MAX below 256
        struct sock_filter *f = &w->start[jumps[i].at];
        *(jumps[i].when_true ? &f->jt : &f->jf) = (uint8_t)(target - jumps[i].at - 1);
    }
}

// Each of these begins where the number is loaded and known to be none that the search leads
// elsewhere with.
static void whole(struct writer *w, uint32_t nr)
{
    size_t at = put(w, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, nr);
    to_answer(w, at, true);
    to_end(w, at, false);
}

static void device(struct writer *w, uint32_t nr, unsigned mode_in)
{
    to_end(w, put(w, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, nr), false);
    load(w, arg_offset(mode_in));
    put(w, BPF_ALU | BPF_AND | BPF_K, 0, 0, 0170000);
    to_answer(w, put(w, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 0020000), true); // S_IFCHR
    size_t at = put(w, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 0060000);         // S_IFBLK
    to_answer(w, at, true);
    to_end(w, at, false);
}

// RLIMIT_LOCKS, which the kernel does not look at, says who a process passes for: whoever sets all
// limits to what they are elsewhere (pam_limits) leaves that one as it is, and believes otherwise.
static void keep_mark_64(struct writer *w)
{
    to_end(w, put(w, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, SYS_prlimit64), false);
    load(w, arg_offset(1));
    to_end(w, put(w, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, RLIMIT_LOCKS), false);
    load(w, arg_offset(2)); // the new value, where there is one
    put(w, BPF_JMP | BPF_JEQ | BPF_K, 0, 2, 0);
    load(w, arg_offset(2) + 4);
    to_end(w, put(w, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 0), true);
    put(w, BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO);
}

static void keep_mark(struct writer *w)
{
    to_end(w, put(w, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, SYS_setrlimit), false);
    load(w, arg_offset(0));
    to_end(w, put(w, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, RLIMIT_LOCKS), false);
    put(w, BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO);
}

// What lets a process keep its privilege when it becomes another (capabilities(7)).
static void keeps(struct writer *w)
{
    to_end(w, put(w, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, SYS_prctl), false);
    load(w, arg_offset(0));
    to_answer(w, put(w, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, PR_SET_KEEPCAPS), true);
    size_t at = put(w, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, PR_SET_SECUREBITS);
    to_answer(w, at, true);
    to_end(w, at, false);
}

// Who does not ask for an owner or a type is not told of one.
static void look(struct writer *w)
{
    to_end(w, put(w, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, SYS_statx), false);
    load(w, arg_offset(3));
    const uint32_t pretended_about = STATX_TYPE | STATX_MODE | STATX_UID | STATX_GID;
    size_t at = put(w, BPF_JMP | BPF_JSET | BPF_K, 0, 0, pretended_about);
    to_answer(w, at, true);
    to_end(w, at, false);
}

static void leaf(struct writer *w, uint32_t nr)
{
    switch (nr) {
    case SYS_statx:
        look(w);
        return;
    case SYS_mknodat:
        device(w, nr, 2);
        return;
#ifdef SYS_mknod
    case SYS_mknod:
        device(w, nr, 1);
        return;
#endif
    case SYS_prctl:
        keeps(w);
        return;
    case SYS_prlimit64:
        keep_mark_64(w);
        return;
    case SYS_setrlimit:
        keep_mark(w);
        return;
    default:
        whole(w, nr);
    }
}

// Among numbers[0..n[, which are sorted.
static void search(struct writer *w, const uint16_t *numbers, size_t n,
                   void (*at_leaf)(struct writer *w, uint32_t nr))
{
    if (n == 1) {
        at_leaf(w, numbers[0]);
        return;
    }
    size_t half = n / 2;
    size_t at = put(w, BPF_JMP | BPF_JGE | BPF_K, 0, 0, numbers[half]);
    search(w, numbers, half, at_leaf);
    w->start[at].jt = (uint8_t)(w->n - at - 1);
    search(w, numbers + half, n - half, at_leaf);
}

// The answer of those before; what follows is reached by jumps only.
static void close_answer(struct writer *w, uint32_t answer)
{
    set_jumps(w, w->answers, w->n_answers, w->n);
    w->n_answers = 0;
    put(w, BPF_RET | BPF_K, 0, 0, answer);
}

static int by_number(const void *a, const void *b)
{
    const uint16_t *x = a;
    const uint16_t *y = b;
    return (*x > *y) - (*x < *y);
}

size_t fakefilter_write(struct sock_filter ret[FAKEFILTER_MAX])
{
    struct writer w = {.start = ret};
    uint16_t numbers[sizeof(handed_out) / sizeof(handed_out[0])];
    const size_t n = sizeof(numbers) / sizeof(numbers[0]);
    memcpy(numbers, handed_out, sizeof(numbers));
    qsort(numbers, n, sizeof(numbers[0]), by_number);
    load(&w, offsetof(struct seccomp_data, arch));
    size_t to_foreign = put(&w, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, NATIVE);
    load(&w, offsetof(struct seccomp_data, nr));
    search(&w, numbers, n, leaf);
    close_answer(&w, SECCOMP_RET_USER_NOTIF);
    ret[to_foreign].jf = (uint8_t)(w.n - to_foreign - 1);
    to_end(&w, put(&w, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, FOREIGN), false);
    load(&w, offsetof(struct seccomp_data, nr));
    search(&w, pretended, sizeof(pretended) / sizeof(pretended[0]), whole);
    close_answer(&w, SECCOMP_RET_ERRNO);
    set_jumps(&w, w.ends, w.n_ends, w.n);
    return w.n;
}
