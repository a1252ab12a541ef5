// SPDX-License-Identifier: Apache-2.0
// The profile as the kernel would answer by it; and the compiler held against libseccomp's own.
#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/job/caps.h"
#include "internal/job/seccomp.h"
#include "tests/unit/tap.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <seccomp.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>

#define ALLOWED SECCOMP_RET_ALLOW

struct compiled {
    struct sock_filter insns[BPF_MAXINSNS];
    size_t n;
};

static int compile_default(const struct seccomp_given *given, struct compiled *ret)
{
    AUTO_SECCOMP struct seccomp_profile p = {0};
    seccomp_default(given, &p);
    return seccomp_compile(&p, ret->insns, &ret->n);
}

static uint32_t audit_arch(enum seccomp_abi abi)
{
    return abi == SECCOMP_I386      ? AUDIT_ARCH_I386
           : abi == SECCOMP_AARCH64 ? AUDIT_ARCH_AARCH64
           : abi == SECCOMP_ARM     ? AUDIT_ARCH_ARM
                                    : AUDIT_ARCH_X86_64;
}

static uint32_t ask(const struct compiled *c, enum seccomp_abi abi, const char *call, uint64_t a0,
                    uint64_t a1, uint64_t a2)
{
    struct seccomp_data data = {
        .nr = seccomp_number(abi, call), .arch = audit_arch(abi), .args = {a0, a1, a2}};
    return seccomp_eval(c->insns, c->n, &data);
}

static void test_default(void)
{
    static struct compiled c;
    const struct seccomp_given given = {.native = SECCOMP_X86_64, .caps = caps_default()};
    ok(compile_default(&given, &c) == 0, "bryo's profile compiles");
    ok(seccomp_is_valid(c.insns, c.n) && !seccomp_wants_listener(c.insns, c.n), "to a program");
    diag("%zu instructions", c.n);
    static const enum seccomp_abi abis[] = {SECCOMP_X86_64, SECCOMP_I386};
    for (size_t i = 0; i < 2; i++) {
        enum seccomp_abi abi = abis[i];
        ok(ask(&c, abi, "read", 0, 0, 0) == ALLOWED, "read");
        ok(ask(&c, abi, "fchmodat2", 0, 0, 0) == ALLOWED, "newer than libseccomp");
        ok(ask(&c, abi, "socket", AF_INET, SOCK_STREAM, 0) == ALLOWED, "AF_INET");
        ok(ask(&c, abi, "socket", AF_NETLINK, SOCK_RAW, 0) == ALLOWED, "NETLINK_ROUTE");
        ok(ask(&c, abi, "socket", AF_NETLINK, SOCK_RAW, 12) == SECCOMP_DENY(EPROTONOSUPPORT),
           "NETLINK_NETFILTER");
        ok(ask(&c, abi, "socket", AF_ALG, 0, 0) == SECCOMP_DENY(EAFNOSUPPORT), "AF_ALG");
        ok(ask(&c, abi, "socket", AF_VSOCK, 0, 0) == SECCOMP_DENY(EAFNOSUPPORT), "AF_VSOCK");
        ok(ask(&c, abi, "socket", AF_PACKET, 0, 0) == SECCOMP_DENY(EAFNOSUPPORT), "AF_PACKET");
        ok(ask(&c, abi, "socket", UINT64_C(1) << 32 | AF_ALG, 0, 0) == SECCOMP_DENY(EAFNOSUPPORT),
           "AF_ALG with something above it");
        ok(ask(&c, abi, "ioctl", 0, 0x5401, 0) == ALLOWED, "TCGETS");
        ok(ask(&c, abi, "ioctl", 0, 0x5412, 0) == SECCOMP_DENY(EPERM), "TIOCSTI");
        ok(ask(&c, abi, "ioctl", 0, UINT64_C(0x100005412), 0) == SECCOMP_DENY(EPERM),
           "TIOCSTI with something above it");
        ok(ask(&c, abi, "ioctl", 0, 0x541c, 0) == SECCOMP_DENY(EPERM), "TIOCLINUX");
        ok(ask(&c, abi, "personality", 0x40000, 0, 0) == ALLOWED, "ADDR_NO_RANDOMIZE");
        ok(ask(&c, abi, "personality", 0x400000, 0, 0) == SECCOMP_DENY(EPERM), "READ_IMPLIES_EXEC");
        ok(ask(&c, abi, "io_uring_setup", 0, 0, 0) == SECCOMP_DENY(EPERM), "io_uring_setup");
        ok(ask(&c, abi, "keyctl", 0, 0, 0) == SECCOMP_DENY(EPERM), "keyctl");
        ok(ask(&c, abi, "kcmp", 0, 0, 0) == SECCOMP_DENY(EPERM), "kcmp without SYS_PTRACE");
        ok(ask(&c, abi, "unshare", 0x10000000, 0, 0) == ALLOWED, "unshare(CLONE_NEWUSER)");
    }
    ok(ask(&c, SECCOMP_I386, "socketcall", 1, 0, 0) == SECCOMP_DENY(ENOSYS), "socketcall: socket");
    ok(ask(&c, SECCOMP_I386, "socketcall", 3, 0, 0) == ALLOWED, "socketcall: connect");
    ok(ask(&c, SECCOMP_X32, "read", 0, 0, 0) == SECCOMP_DENY(ENOSYS), "x32 is absent");
    ok(ask(&c, SECCOMP_AARCH64, "read", 0, 0, 0) == SECCOMP_DENY(ENOSYS), "a foreign ABI is too");
    struct seccomp_data newer = {.nr = 600, .arch = AUDIT_ARCH_X86_64};
    ok(seccomp_eval(c.insns, c.n, &newer) == SECCOMP_DENY(ENOSYS), "a newer call is absent");
}

static void test_given(void)
{
    static struct compiled c;
    const struct seccomp_given given = {
        .native = SECCOMP_X86_64, .caps = caps_all(), .no_userns = true};
    ok(compile_default(&given, &c) == 0, "every capability, --no-userns");
    ok(ask(&c, SECCOMP_X86_64, "kcmp", 0, 0, 0) == ALLOWED, "kcmp with SYS_PTRACE");
    ok(ask(&c, SECCOMP_X86_64, "unshare", 0x10000000, 0, 0) == SECCOMP_DENY(EPERM), "--no-userns");
    ok(ask(&c, SECCOMP_X86_64, "unshare", 0x400, 0, 0) == ALLOWED, "lets unshare(CLONE_FILES)");
    ok(ask(&c, SECCOMP_X86_64, "clone", 0x10000011, 0, 0) == SECCOMP_DENY(EPERM), "clone");
    ok(ask(&c, SECCOMP_X86_64, "clone", 0x11, 0, 0) == ALLOWED, "fork");
    ok(ask(&c, SECCOMP_X86_64, "clone3", 0, 0, 0) == SECCOMP_DENY(ENOSYS), "clone3");
    ok(ask(&c, SECCOMP_X86_64, "mount", 0, 0, 0) == SECCOMP_DENY(EPERM), "mount");
    const struct seccomp_given arm = {.native = SECCOMP_AARCH64, .caps = caps_default()};
    ok(compile_default(&arm, &c) == 0 && ask(&c, SECCOMP_AARCH64, "openat", 0, 0, 0) == ALLOWED &&
           ask(&c, SECCOMP_AARCH64, "socket", AF_ALG, 0, 0) == SECCOMP_DENY(EAFNOSUPPORT) &&
           ask(&c, SECCOMP_ARM, "set_tls", 0, 0, 0) == ALLOWED &&
           ask(&c, SECCOMP_X86_64, "read", 0, 0, 0) == SECCOMP_DENY(ENOSYS),
       "aarch64, with 32-bit ARM beside it");
}

// Every call that libseccomp has a number for stands in a list: none is absent by oversight.
static void test_complete(void)
{
    AUTO_SECCOMP struct seccomp_profile p = {0};
    AUTO_BUF struct buf missing = {0};
    AUTO_BUF struct buf unknown = {0};
    const struct seccomp_given given = {.native = SECCOMP_X86_64, .caps = caps_default()};
    seccomp_default(&given, &p);
    static const uint32_t archs[] = {AUDIT_ARCH_X86_64, AUDIT_ARCH_I386, AUDIT_ARCH_AARCH64,
                                     AUDIT_ARCH_ARM};
    for (size_t a = 0; a < 4; a++) {
        for (uint32_t nr = 0; nr < 600; nr++) {
            AUTO_FREE char *name = seccomp_name(archs[a], nr);
            bool found = !name;
            for (size_t i = 0; i < p.n && !found; i++)
                found = strcmp(p.rules[i].call, name) == 0;
            if (!found)
                buf_addf(&missing, " %s", name);
        }
    }
    for (size_t i = 0; i < p.n; i++)
        if (!seccomp_is_call(p.rules[i].call))
            buf_addf(&unknown, " %s", p.rules[i].call);
    is_str(buf_str(&missing), "",
           "every call of x86-64, i386, aarch64 and 32-bit ARM is in the table");
    is_str(buf_str(&unknown), "", "and nothing else");
}

// --- against libseccomp --------------------------------------------------------------------------

static const enum seccomp_op ops[] = {SECCOMP_OP_NE,       SECCOMP_OP_LT, SECCOMP_OP_LE,
                                      SECCOMP_OP_EQ,       SECCOMP_OP_GE, SECCOMP_OP_GT,
                                      SECCOMP_OP_MASKED_EQ};
static const enum scmp_compare theirs[] = {SCMP_CMP_NE, SCMP_CMP_LT, SCMP_CMP_LE,       SCMP_CMP_EQ,
                                           SCMP_CMP_GE, SCMP_CMP_GT, SCMP_CMP_MASKED_EQ};

static int export_theirs(const struct seccomp_profile *p, struct compiled *ret)
{
    scmp_filter_ctx f = seccomp_init(SCMP_ACT_ERRNO(1));
    seccomp_attr_set(f, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ERRNO(ENOSYS));
    seccomp_arch_add(f, SCMP_ARCH_X86);
    for (size_t i = 0; i < p->n; i++) {
        const struct seccomp_rule *r = &p->rules[i];
        struct scmp_arg_cmp args[6];
        for (size_t k = 0; k < r->n_conds; k++) {
            const struct seccomp_cond *c = &r->conds[k];
            size_t op = 0;
            while (ops[op] != c->op)
                op++;
            bool masked = c->op == SECCOMP_OP_MASKED_EQ;
            args[k] = (struct scmp_arg_cmp){.arg = c->index,
                                            .op = theirs[op],
                                            .datum_a = masked ? c->mask : c->value,
                                            .datum_b = masked ? c->value : 0};
        }
        if (seccomp_rule_add_array(f, r->action, seccomp_syscall_resolve_name(r->call), r->n_conds,
                                   args) < 0)
            return -1;
    }
    AUTO_FD int fd = memfd_create("bpf", 0);
    int r = seccomp_export_bpf(f, fd);
    seccomp_release(f);
    ssize_t n = r < 0 ? -1 : pread(fd, ret->insns, sizeof(ret->insns), 0);
    ret->n = n < 0 ? 0 : (size_t)n / sizeof(struct sock_filter);
    return n > 0 ? 0 : -1;
}

static uint64_t pick(unsigned *seed)
{
    static const uint64_t values[] = {0,
                                      1,
                                      2,
                                      3,
                                      UINT64_C(0xffffffff),
                                      UINT64_C(1) << 32,
                                      UINT64_C(0x100000002),
                                      UINT64_MAX,
                                      UINT64_C(0x7fffffff)};
    *seed = *seed * 1103515245 + 12345;
    return values[(*seed >> 16 & 0xff) % 9];
}

// One call gets one rule, or several on one argument with one action, so that both say the same.
// Not wide: values of 32 bits, as i386 has them (libseccomp looks at no more there).
static void random_profile(unsigned *seed, bool wide, struct seccomp_profile *p)
{
    const uint64_t most = wide ? UINT64_MAX : UINT32_MAX;
    static const char *const calls[] = {"read",  "write",  "openat", "ioctl", "mmap",   "chown",
                                        "clone", "setuid", "kill",   "prctl", "fchmod", "dup2"};
    *p = (struct seccomp_profile){.abis = SECCOMP_X86_64 | SECCOMP_I386,
                                  .otherwise = SECCOMP_DENY(1),
                                  .whole_call_wins = true};
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        *seed = *seed * 1103515245 + 12345;
        unsigned n_conds = *seed >> 16 & 3;
        struct seccomp_rule *r = seccomp_add(p, calls[i], SECCOMP_RET_ALLOW);
        for (unsigned k = 0; k < n_conds; k++) {
            *seed = *seed * 1103515245 + 12345;
            enum seccomp_op op = ops[(*seed >> 16) % 7];
            uint64_t mask = pick(seed) & most;
            uint64_t value = pick(seed) & most;
            seccomp_add_cond(r, k * 2, op, op == SECCOMP_OP_MASKED_EQ ? value & mask : value, mask);
        }
    }
}

// Theirs may have instructions that ours do not; the common part of classic BPF is the same.
static bool same_answers(const struct compiled *a, const struct compiled *b, bool wide,
                         unsigned *seed)
{
    static const uint32_t archs[] = {AUDIT_ARCH_X86_64, AUDIT_ARCH_I386, AUDIT_ARCH_AARCH64};
    for (size_t i = 0; i < 20000; i++) {
        *seed = *seed * 1103515245 + 12345;
        struct seccomp_data d = {.nr = (int)(*seed >> 16) % 350,
                                 .arch = archs[i % 8 == 7 ? 2
                                               : wide     ? 0
                                                          : i % 2]};
        for (size_t k = 0; k < 6; k++)
            d.args[k] = d.arch == AUDIT_ARCH_I386 ? (uint32_t)pick(seed) : pick(seed);
        uint32_t x = seccomp_eval(a->insns, a->n, &d);
        uint32_t y = seccomp_eval(b->insns, b->n, &d);
        if (x != y) {
            diag("arch %x nr %d args %llx %llx %llx: %x, libseccomp: %x", d.arch, d.nr, d.args[0],
                 d.args[2], d.args[4], x, y);
            return false;
        }
    }
    return true;
}

static void test_against_libseccomp(void)
{
    static struct compiled a;
    static struct compiled b;
    unsigned seed = 1;
    bool same = true;
    for (size_t i = 0; i < 60 && same; i++) {
        AUTO_SECCOMP struct seccomp_profile p = {0};
        random_profile(&seed, i % 2, &p);
        same = seccomp_compile(&p, a.insns, &a.n) == 0 && export_theirs(&p, &b) == 0 &&
               same_answers(&a, &b, i % 2, &seed);
    }
    ok(same, "60 random profiles: the same answers as libseccomp's program");
    // and the comparison can tell
    AUTO_SECCOMP struct seccomp_profile p = {0};
    random_profile(&seed, false, &p);
    bool built = seccomp_compile(&p, a.insns, &a.n) == 0;
    p.rules[0].action = SECCOMP_DENY(7);
    built = built && export_theirs(&p, &b) == 0;
    ok(built && !same_answers(&a, &b, false, &seed), "another rule shows");
}

static void test_valid(void)
{
    const struct sock_filter ret = {.code = BPF_RET | BPF_K, .k = SECCOMP_RET_ALLOW};
    struct sock_filter f[2] = {{.code = BPF_JMP | BPF_JA, .k = 0}, ret};
    ok(seccomp_is_valid(f, 2), "a jump to the next");
    ok(!seccomp_wants_listener(f, 2), "that asks no listener");
    f[1].k = SECCOMP_RET_USER_NOTIF | 1;
    ok(seccomp_wants_listener(f, 2), "and one that does");
    f[0].k = 1;
    ok(!seccomp_is_valid(f, 2), "a jump behind the end");
    f[0] = (struct sock_filter){.code = BPF_JMP | BPF_JEQ | BPF_K, .jt = 1};
    ok(!seccomp_is_valid(f, 2), "a conditional one");
    f[0] = (struct sock_filter){.code = BPF_LD | BPF_W | BPF_ABS, .k = 64};
    ok(!seccomp_is_valid(f, 2), "a load from outside");
    f[0] = (struct sock_filter){.code = BPF_ST};
    ok(!seccomp_is_valid(f, 2), "another instruction");
    ok(!seccomp_is_valid(f, 0) && seccomp_is_valid(&ret, 1), "an empty one; the smallest");
    f[0] = ret;
    f[1] = (struct sock_filter){.code = BPF_LD | BPF_W | BPF_ABS};
    ok(!seccomp_is_valid(f, 2), "no answer at the end");
}

int main(void)
{
    test_default();
    test_given();
    test_complete();
    test_against_libseccomp();
    test_valid();
    return done_testing();
}
