// SPDX-License-Identifier: Apache-2.0
// From rules to classic BPF.
//
// libseccomp could do it, were it not for three things: it knows no call that is newer than itself
// (and then refuses to say anything about it in a second ABI), it cannot express "neither TIOCSTI
// nor TIOCLINUX in the low 32 bits, whatever the high ones" (two != rules are OR-ed), and a rule
// for a whole call silently replaces the finer ones. So the names are libseccomp's, and the program
// is made here. A test compares the two, answer by answer, on profiles that both can say.
//
// The program: the ABI by its audit number (and bit 30 of the call's for x32), then a binary search
// over runs of numbers that have the same answer, then the conditions of that one call, if it has
// any. The kernel runs it once for each number at load time and remembers the calls that are always
// allowed (Linux 5.11), so that these cost nothing.
#include "internal/job/seccomp.h"

#include <errno.h>
#include <linux/audit.h>
#include <stdlib.h>
#include <string.h>

#define X32_BIT 0x40000000U

struct program {
    struct sock_filter *insns;
    size_t n;
    int error;
};

// A rule in one ABI.
struct entry {
    uint32_t nr;
    size_t order;
    const struct seccomp_rule *rule;
    struct seccomp_cond call; // i386: which call of socketcall(2); index 0xff: none
};

// From this number on, up to the next run.
struct run {
    uint32_t from;
    uint32_t action;           // where n_entries is 0
    const struct entry *first; // else these are tried in order
    size_t n_entries;
};

static size_t emit(struct program *p, uint16_t code, uint32_t k, unsigned jt, unsigned jf)
{
    if (p->n >= BPF_MAXINSNS) {
        p->error = -E2BIG;
        return 0;
    }
    p->insns[p->n] = (struct sock_filter){
        .code = code, .k = k, .jt = (unsigned char)jt, .jf = (unsigned char)jf};
    return p->n++;
}

// A jump over what was emitted since at: the two numbers are how far, from behind it.
static size_t behind(const struct program *p, size_t at)
{
    return p->n - at - 1;
}

static void load(struct program *p, unsigned arg, bool high)
{
    size_t offset = offsetof(struct seccomp_data, args) + arg * sizeof(uint64_t);
    emit(p, BPF_LD | BPF_W | BPF_ABS, (uint32_t)(offset + (high ? 4 : 0)), 0, 0);
}

// Places that are jumped to when the rule does not apply.
struct misses {
    size_t at[SECCOMP_CONDS_MAX * 2 + 4];
    bool on_true[SECCOMP_CONDS_MAX * 2 + 4];
    size_t n;
};

static void miss(struct misses *m, size_t at, bool on_true)
{
    m->at[m->n] = at;
    m->on_true[m->n++] = on_true;
}

// Both ABIs are little endian: the low half of an argument comes first.
static void condition(struct program *p, const struct seccomp_cond *c, struct misses *m)
{
    uint32_t high = (uint32_t)(c->value >> 32);
    uint32_t low = (uint32_t)c->value;
    load(p, c->index, true);
    switch (c->op) {
    case SECCOMP_OP_MASKED_EQ:
        emit(p, BPF_ALU | BPF_AND | BPF_K, (uint32_t)(c->mask >> 32), 0, 0);
        miss(m, emit(p, BPF_JMP | BPF_JEQ | BPF_K, high, 0, 0), false);
        load(p, c->index, false);
        emit(p, BPF_ALU | BPF_AND | BPF_K, (uint32_t)c->mask, 0, 0);
        miss(m, emit(p, BPF_JMP | BPF_JEQ | BPF_K, low, 0, 0), false);
        return;
    case SECCOMP_OP_EQ:
        miss(m, emit(p, BPF_JMP | BPF_JEQ | BPF_K, high, 0, 0), false);
        load(p, c->index, false);
        miss(m, emit(p, BPF_JMP | BPF_JEQ | BPF_K, low, 0, 0), false);
        return;
    case SECCOMP_OP_NE:
        emit(p, BPF_JMP | BPF_JEQ | BPF_K, high, 0, 2); // another high half: holds
        load(p, c->index, false);
        miss(m, emit(p, BPF_JMP | BPF_JEQ | BPF_K, low, 0, 0), true);
        return;
    case SECCOMP_OP_GT:
    case SECCOMP_OP_GE:
        emit(p, BPF_JMP | BPF_JGT | BPF_K, high, 3, 0);
        miss(m, emit(p, BPF_JMP | BPF_JEQ | BPF_K, high, 0, 0), false);
        load(p, c->index, false);
        miss(m, emit(p, BPF_JMP | (c->op == SECCOMP_OP_GT ? BPF_JGT : BPF_JGE) | BPF_K, low, 0, 0),
             false);
        return;
    case SECCOMP_OP_LT:
    case SECCOMP_OP_LE:
        miss(m, emit(p, BPF_JMP | BPF_JGT | BPF_K, high, 0, 0), true);
        emit(p, BPF_JMP | BPF_JEQ | BPF_K, high, 0, 2); // a smaller high half: holds
        load(p, c->index, false);
        miss(m, emit(p, BPF_JMP | (c->op == SECCOMP_OP_LT ? BPF_JGE : BPF_JGT) | BPF_K, low, 0, 0),
             true);
        return;
    }
}

static void emit_rule(struct program *p, const struct entry *e)
{
    struct misses m = {0};
    if (e->call.index != 0xff)
        condition(p, &e->call, &m);
    for (size_t i = 0; i < e->rule->n_conds; i++)
        condition(p, &e->rule->conds[i], &m);
    emit(p, BPF_RET | BPF_K, e->rule->action, 0, 0);
    for (size_t i = 0; i < m.n && !p->error; i++) { // at most 36 instructions: in reach
        struct sock_filter *f = &p->insns[m.at[i]];
        *(m.on_true[i] ? &f->jt : &f->jf) = (unsigned char)behind(p, m.at[i]);
    }
}

static bool is_whole(const struct entry *e)
{
    return e->rule->n_conds == 0 && e->call.index == 0xff;
}

static void leaf(struct program *p, const struct run *r, uint32_t otherwise)
{
    for (size_t i = 0; i < r->n_entries && !p->error; i++) {
        emit_rule(p, &r->first[i]);
        if (is_whole(&r->first[i]))
            return;
    }
    emit(p, BPF_RET | BPF_K, r->n_entries ? otherwise : r->action, 0, 0);
}

// Binary search among runs[a..b[, the call's number being loaded. A left side that is longer than a
// conditional jump reaches gets a long jump in front, which moves it by one.
static void search(struct program *p, const struct run *runs, size_t a, size_t b,
                   uint32_t otherwise)
{
    if (b - a == 1) {
        leaf(p, &runs[a], otherwise);
        return;
    }
    size_t mid = a + (b - a) / 2;
    size_t at = emit(p, BPF_JMP | BPF_JGE | BPF_K, runs[mid].from, 0, 0);
    search(p, runs, a, mid, otherwise);
    if (behind(p, at) > 255) {
        size_t first = at + 1;
        size_t len = behind(p, at);
        emit(p, BPF_RET | BPF_K, 0, 0, 0);
        if (p->error)
            return;
        memmove(&p->insns[first + 1], &p->insns[first], len * sizeof(*p->insns));
        p->insns[at].jf = 1;
        p->insns[first] = (struct sock_filter){.code = BPF_JMP | BPF_JA, .k = (uint32_t)len};
    } else if (!p->error) {
        p->insns[at].jt = (unsigned char)behind(p, at);
    }
    search(p, runs, mid, b, otherwise);
}

static int by_number(const void *a, const void *b)
{
    const struct entry *x = a;
    const struct entry *y = b;
    if (x->nr != y->nr)
        return x->nr < y->nr ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

// linux/net.h: what socketcall(2) takes as its first argument, in its order from 1 on.
static const char *const socketcalls[] = {
    "socket",     "bind",    "connect", "listen",  "accept",   "getsockname", "getpeername",
    "socketpair", "send",    "recv",    "sendto",  "recvfrom", "shutdown",    "setsockopt",
    "getsockopt", "sendmsg", "recvmsg", "accept4", "recvmmsg", "sendmmsg",
};

static void add_entry(struct entry *entries, size_t *n, int nr, const struct seccomp_rule *rule,
                      unsigned call)
{
    if (nr < 0)
        return;
    entries[*n] = (struct entry){.nr = (uint32_t)nr,
                                 .order = *n,
                                 .rule = rule,
                                 .call = {.index = call ? 0 : 0xff,
                                          .op = SECCOMP_OP_MASKED_EQ,
                                          .value = call,
                                          .mask = UINT32_MAX}};
    (*n)++;
}

static bool names(const struct seccomp_profile *p, const char *call)
{
    for (size_t i = 0; i < p->n; i++)
        if (strcmp(p->rules[i].call, call) == 0)
            return true;
    return false;
}

// All rules in the numbers of one ABI, sorted. As libseccomp does it, a rule for a socket call
// stands for its form in socketcall(2) as well, unless it looks at arguments (these are behind a
// pointer there) or the profile itself speaks of socketcall.
static size_t resolve(const struct seccomp_profile *p, enum seccomp_abi abi, struct entry *entries)
{
    size_t n = 0;
    bool multiplexed = abi == SECCOMP_I386 && !names(p, "socketcall");
    int socketcall = multiplexed ? seccomp_number(abi, "socketcall") : -1;
    for (size_t i = 0; i < p->n; i++) {
        const struct seccomp_rule *rule = &p->rules[i];
        add_entry(entries, &n, seccomp_number(abi, rule->call), rule, 0);
        for (unsigned c = 0;
             multiplexed && rule->n_conds == 0 && c < sizeof(socketcalls) / sizeof(socketcalls[0]);
             c++)
            if (strcmp(socketcalls[c], rule->call) == 0)
                add_entry(entries, &n, socketcall, rule, c + 1);
    }
    qsort(entries, n, sizeof(*entries), by_number);
    return n;
}

static void add_run(struct run *runs, size_t *n, struct run run)
{
    struct run *last = *n ? &runs[*n - 1] : NULL;
    if (last && last->n_entries == 0 && run.n_entries == 0 && last->action == run.action)
        return;
    runs[(*n)++] = run;
}

static size_t make_runs(const struct seccomp_profile *p, struct entry *entries, size_t n,
                        struct run *runs)
{
    size_t count = 0;
    uint32_t next = 0; // the first number that no run holds yet
    for (size_t i = 0, j; i < n; i = j) {
        const struct entry *whole = NULL;
        for (j = i; j < n && entries[j].nr == entries[i].nr; j++)
            if (!whole && is_whole(&entries[j]) && (p->whole_call_wins || j == i))
                whole = &entries[j];
        if (count == 0 || entries[i].nr > next)
            add_run(runs, &count, (struct run){.from = next, .action = p->otherwise});
        add_run(
            runs, &count,
            whole ? (struct run){.from = entries[i].nr, .action = whole->rule->action}
                  : (struct run){.from = entries[i].nr, .first = &entries[i], .n_entries = j - i});
        next = entries[i].nr + 1;
    }
    add_run(runs, &count,
            (struct run){.from = next,
                         .action = p->newer_is_enosys ? SECCOMP_DENY(ENOSYS) : p->otherwise});
    // The first number of all may have a rule of its own: the run before it is then empty.
    if (count > 1 && runs[0].from == runs[1].from)
        memmove(runs, runs + 1, --count * sizeof(*runs));
    return count;
}

static void emit_abi(struct program *p, const struct seccomp_profile *profile, enum seccomp_abi abi)
{
    size_t most = profile->n * 2 + 1;
    AUTO_FREE struct entry *entries = mem_alloc(most * sizeof(*entries));
    AUTO_FREE struct run *runs = mem_alloc((2 * most + 2) * sizeof(*runs));
    size_t n = resolve(profile, abi, entries);
    size_t n_runs = make_runs(profile, entries, n, runs);
    search(p, runs, 0, n_runs, profile->otherwise);
}

// One of the numbers in seccomp_data.arch: the ABIs that have it.
static void emit_arch(struct program *p, const struct seccomp_profile *profile, uint32_t arch,
                      enum seccomp_abi abi, enum seccomp_abi x32)
{
    unsigned here = profile->abis & ((unsigned)abi | (unsigned)x32);
    if (!here || p->error)
        return;
    size_t at = emit(p, BPF_JMP | BPF_JEQ | BPF_K, arch, 1, 0);
    size_t skip = emit(p, BPF_JMP | BPF_JA, 0, 0, 0);
    emit(p, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr), 0, 0);
    if (x32) {
        size_t is_x32 = emit(p, BPF_JMP | BPF_JGE | BPF_K, X32_BIT, 0, 1);
        size_t jump = emit(p, BPF_JMP | BPF_JA, 0, 0, 0);
        if (here & abi)
            emit_abi(p, profile, abi);
        else
            emit(p, BPF_RET | BPF_K, SECCOMP_DENY(ENOSYS), 0, 0);
        if (!p->error)
            p->insns[jump].k = (uint32_t)behind(p, jump);
        if (here & x32)
            emit_abi(p, profile, x32);
        else
            emit(p, BPF_RET | BPF_K, SECCOMP_DENY(ENOSYS), 0, 0);
        (void)is_x32;
    } else {
        emit_abi(p, profile, abi);
    }
    (void)at;
    if (!p->error)
        p->insns[skip].k = (uint32_t)behind(p, skip);
}

int seccomp_compile(const struct seccomp_profile *profile, struct sock_filter ret[BPF_MAXINSNS],
                    size_t *ret_n)
{
    struct program p = {.insns = ret};
    emit(&p, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch), 0, 0);
    emit_arch(&p, profile, AUDIT_ARCH_X86_64, SECCOMP_X86_64, SECCOMP_X32);
    emit_arch(&p, profile, AUDIT_ARCH_I386, SECCOMP_I386, 0);
    emit_arch(&p, profile, AUDIT_ARCH_AARCH64, SECCOMP_AARCH64, 0);
    emit_arch(&p, profile, AUDIT_ARCH_ARM, SECCOMP_ARM, 0);
    emit(&p, BPF_RET | BPF_K, SECCOMP_DENY(ENOSYS), 0, 0);
    if (p.error)
        return p.error;
    *ret_n = p.n;
    return seccomp_is_valid(ret, p.n) ? 0 : -EINVAL;
}
