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
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

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

// Whether the kernel takes the program, for whatever machine it is: behind an instruction that lets
// all calls of this one pass, in a process of its own.
static bool kernel_takes(const struct compiled *c)
{
    static struct compiled all;
    const struct sock_filter front[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, seccomp_audit_arch(), 0, 1),
        BPF_STMT(BPF_RET | BPF_K, ALLOWED)};
    const size_t n = sizeof(front) / sizeof(front[0]);
    memcpy(all.insns, front, sizeof(front));
    memcpy(all.insns + n, c->insns, c->n * sizeof(*c->insns));
    const struct sock_fprog prog = {.len = (unsigned short)(n + c->n), .filter = all.insns};
    pid_t pid = fork();
    if (pid == 0)
        _exit(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
              prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog) < 0);
    int status = -1;
    return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

static void test_default(enum seccomp_abi native, enum seccomp_abi compat)
{
    static struct compiled c;
    const struct seccomp_given given = {.native = native, .caps = caps_default()};
    ok(compile_default(&given, &c) == 0, "bryo's profile compiles");
    ok(seccomp_is_valid(c.insns, c.n) && !seccomp_wants_listener(c.insns, c.n), "to a program");
    ok(kernel_takes(&c), "that the kernel takes");
    diag("%zu instructions", c.n);
    const enum seccomp_abi abis[] = {native, compat};
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
    struct seccomp_data newer = {.nr = 600, .arch = audit_arch(native)};
    ok(seccomp_eval(c.insns, c.n, &newer) == SECCOMP_DENY(ENOSYS), "a newer call is absent");
    enum seccomp_abi foreign = native == SECCOMP_AARCH64 ? SECCOMP_X86_64 : SECCOMP_AARCH64;
    ok(ask(&c, foreign, "read", 0, 0, 0) == SECCOMP_DENY(ENOSYS), "so is a foreign ABI");
    if (native == SECCOMP_AARCH64) {
        ok(ask(&c, SECCOMP_ARM, "set_tls", 0, 0, 0) == ALLOWED, "a call that only ARM has");
        return;
    }
    ok(ask(&c, SECCOMP_I386, "socketcall", 1, 0, 0) == SECCOMP_DENY(ENOSYS), "socketcall: socket");
    ok(ask(&c, SECCOMP_I386, "socketcall", 3, 0, 0) == ALLOWED, "socketcall: connect");
    ok(ask(&c, SECCOMP_X32, "read", 0, 0, 0) == SECCOMP_DENY(ENOSYS), "x32 is absent");
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
    bool arm = p->abis & SECCOMP_AARCH64;
    seccomp_arch_remove(f, SCMP_ARCH_NATIVE);
    seccomp_arch_add(f, arm ? SCMP_ARCH_AARCH64 : SCMP_ARCH_X86_64);
    seccomp_arch_add(f, arm ? SCMP_ARCH_ARM : SCMP_ARCH_X86);
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
static void random_profile(unsigned *seed, unsigned abis, bool wide, struct seccomp_profile *p)
{
    const uint64_t most = wide ? UINT64_MAX : UINT32_MAX;
    static const char *const calls[] = {"read",  "write",  "openat", "ioctl", "mmap",   "chown",
                                        "clone", "setuid", "kill",   "prctl", "fchmod", "dup2"};
    *p = (struct seccomp_profile){
        .abis = abis, .otherwise = SECCOMP_DENY(1), .whole_call_wins = true};
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

// The profile read as it stands, without a program.
static uint32_t meant(const struct seccomp_profile *p, const struct seccomp_data *d, bool narrow)
{
    AUTO_FREE char *name = seccomp_name(d->arch, (uint32_t)d->nr);
    for (size_t i = 0; name && i < p->n; i++) {
        const struct seccomp_rule *r = &p->rules[i];
        bool holds = strcmp(r->call, name) == 0;
        for (size_t k = 0; k < r->n_conds && holds; k++) {
            const struct seccomp_cond *c = &r->conds[k];
            uint64_t is = narrow ? (uint32_t)d->args[c->index] : d->args[c->index];
            holds = c->op == SECCOMP_OP_NE   ? is != c->value
                    : c->op == SECCOMP_OP_LT ? is < c->value
                    : c->op == SECCOMP_OP_LE ? is <= c->value
                    : c->op == SECCOMP_OP_EQ ? is == c->value
                    : c->op == SECCOMP_OP_GE ? is >= c->value
                    : c->op == SECCOMP_OP_GT ? is > c->value
                                             : (is & c->mask) == c->value;
        }
        if (holds)
            return r->action;
    }
    return p->otherwise;
}

// Theirs may have instructions that ours do not; the common part of classic BPF is the same.
static bool same_answers(const struct compiled *a, const struct compiled *b,
                         const struct seccomp_profile *p, bool wide, unsigned *seed,
                         unsigned *theirs_wrong)
{
    bool arm = p->abis & SECCOMP_AARCH64;
    bool both_right = true;
    const uint32_t archs[] = {arm ? AUDIT_ARCH_AARCH64 : AUDIT_ARCH_X86_64,
                              arm ? AUDIT_ARCH_ARM : AUDIT_ARCH_I386,
                              arm ? AUDIT_ARCH_X86_64 : AUDIT_ARCH_AARCH64};
    for (size_t i = 0; i < 20000; i++) {
        *seed = *seed * 1103515245 + 12345;
        struct seccomp_data d = {.nr = (int)(*seed >> 16) % 350,
                                 .arch = archs[i % 8 == 7 ? 2
                                               : wide     ? 0
                                                          : i % 2]};
        for (size_t k = 0; k < 6; k++)
            d.args[k] = d.arch == archs[1] ? (uint32_t)pick(seed) : pick(seed);
        uint32_t x = seccomp_eval(a->insns, a->n, &d);
        uint32_t y = seccomp_eval(b->insns, b->n, &d);
        if (x != y && x == meant(p, &d, d.arch == archs[1]))
            both_right = false;
        else if (x != y) {
            diag("arch %x nr %d args %llx %llx %llx: %x, libseccomp: %x", d.arch, d.nr, d.args[0],
                 d.args[2], d.args[4], x, y);
            return false;
        }
    }
    *theirs_wrong += !both_right;
    return true;
}

static void test_against_libseccomp(bool arm)
{
    static struct compiled a;
    static struct compiled b;
    const unsigned abis = arm ? SECCOMP_AARCH64 | SECCOMP_ARM : SECCOMP_X86_64 | SECCOMP_I386;
    unsigned seed = 1;
    unsigned wrong = 0;
    bool same = true;
    for (size_t i = 0; i < 60 && same; i++) {
        AUTO_SECCOMP struct seccomp_profile p = {0};
        random_profile(&seed, abis, i % 2, &p);
        same = seccomp_compile(&p, a.insns, &a.n) == 0 && export_theirs(&p, &b) == 0 &&
               same_answers(&a, &b, &p, i % 2, &seed, &wrong) && kernel_takes(&a);
    }
    // libseccomp 2.5.4 takes "& 2 == 0" for "& 2 == 2" in some of aarch64's.
    diag("libseccomp answers other than the profile says for %u of them", wrong);
    ok(same && wrong <= 6, "60 random profiles, %s: the same answers as libseccomp's program",
       arm ? "aarch64 with 32-bit ARM" : "x86-64 with i386");
    // and the comparison can tell
    AUTO_SECCOMP struct seccomp_profile p = {0};
    random_profile(&seed, abis, false, &p);
    bool built = seccomp_compile(&p, a.insns, &a.n) == 0;
    p.rules[0].action = SECCOMP_DENY(7);
    built = built && export_theirs(&p, &b) == 0;
    ok(built && !same_answers(&a, &b, &p, false, &seed, &wrong), "another rule shows");
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

static uint32_t flags_of(const char *json)
{
    const struct seccomp_given given = {.native = SECCOMP_X86_64, .kernel = {5, 15}};
    AUTO_SECCOMP struct seccomp_profile p = {0};
    AUTO_STRV struct strv notes = {0};
    struct err err = {0};
    if (seccomp_from_json(json, strlen(json), &given, &p, &notes, &err) < 0)
        return ~0U;
    return p.flags;
}

// Without the flag kernels before 5.16 slow a job down; newer ones do not tell the difference.
static void test_flags(void)
{
    const struct seccomp_given given = {.native = SECCOMP_X86_64};
    AUTO_SECCOMP struct seccomp_profile p = {0};
    seccomp_default(&given, &p);
    ok(p.flags == SECCOMP_FILTER_FLAG_SPEC_ALLOW, "a filter takes no speculation away");
#define RULES "\"defaultAction\": \"SCMP_ACT_ALLOW\""
    ok(flags_of("{" RULES "}") == SECCOMP_FILTER_FLAG_SPEC_ALLOW, "nor that of a file");
    ok(flags_of("{" RULES ", \"flags\": []}") == 0, "unless its flags are none");
    ok(flags_of("{" RULES ", \"flags\": [\"SECCOMP_FILTER_FLAG_LOG\"]}") == SECCOMP_FILTER_FLAG_LOG,
       "or others");
}

int main(void)
{
    test_flags();
    test_default(SECCOMP_X86_64, SECCOMP_I386);
    test_default(SECCOMP_AARCH64, SECCOMP_ARM);
    test_given();
    test_complete();
    test_against_libseccomp(false);
    test_against_libseccomp(true);
    test_valid();
    return done_testing();
}
