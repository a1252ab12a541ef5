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
//
// What it does cost is to be loaded: each instruction is checked, translated and compiled, while
// the job waits. So all leaves of the search that say the same share one instruction. Jumps go
// forward only; the program is therefore made from its end.
#include "internal/job/seccomp.h"

#include <errno.h>
#include <linux/audit.h>
#include <stdlib.h>
#include <string.h>

#define X32_BIT 0x40000000U

// Filled from the end: insns[start..BPF_MAXINSNS[ is there.
struct program {
    struct sock_filter *insns;
    size_t start;
    int error;
};

// What is made from its beginning: the conditions of a call.
struct block {
    struct sock_filter insns[BPF_MAXINSNS];
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

static size_t emit(struct block *b, uint16_t code, uint32_t k, unsigned jt, unsigned jf)
{
    if (b->n >= BPF_MAXINSNS) {
        b->error = -E2BIG;
        return 0;
    }
    b->insns[b->n] = (struct sock_filter){
        .code = code, .k = k, .jt = (unsigned char)jt, .jf = (unsigned char)jf};
    return b->n++;
}

// A jump over what was emitted since at: how far, from behind it.
static size_t behind(const struct block *b, size_t at)
{
    return b->n - at - 1;
}

static void load(struct block *b, unsigned arg, bool high)
{
    size_t offset = offsetof(struct seccomp_data, args) + arg * sizeof(uint64_t);
    emit(b, BPF_LD | BPF_W | BPF_ABS, (uint32_t)(offset + (high ? 4 : 0)), 0, 0);
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
static void condition(struct block *b, const struct seccomp_cond *c, struct misses *m)
{
    uint32_t high = (uint32_t)(c->value >> 32);
    uint32_t low = (uint32_t)c->value;
    uint32_t high_mask = (uint32_t)(c->mask >> 32);
    uint32_t low_mask = (uint32_t)c->mask;
    if (c->op != SECCOMP_OP_MASKED_EQ || high_mask || high)
        load(b, c->index, true);
    switch (c->op) {
    case SECCOMP_OP_MASKED_EQ:
        if (high_mask || high) { // else nothing of it is looked at
            emit(b, BPF_ALU | BPF_AND | BPF_K, high_mask, 0, 0);
            miss(m, emit(b, BPF_JMP | BPF_JEQ | BPF_K, high, 0, 0), false);
        }
        load(b, c->index, false);
        if (low_mask != UINT32_MAX)
            emit(b, BPF_ALU | BPF_AND | BPF_K, low_mask, 0, 0);
        miss(m, emit(b, BPF_JMP | BPF_JEQ | BPF_K, low, 0, 0), false);
        return;
    case SECCOMP_OP_EQ:
        miss(m, emit(b, BPF_JMP | BPF_JEQ | BPF_K, high, 0, 0), false);
        load(b, c->index, false);
        miss(m, emit(b, BPF_JMP | BPF_JEQ | BPF_K, low, 0, 0), false);
        return;
    case SECCOMP_OP_NE:
        emit(b, BPF_JMP | BPF_JEQ | BPF_K, high, 0, 2); // another high half: holds
        load(b, c->index, false);
        miss(m, emit(b, BPF_JMP | BPF_JEQ | BPF_K, low, 0, 0), true);
        return;
    case SECCOMP_OP_GT:
    case SECCOMP_OP_GE:
        emit(b, BPF_JMP | BPF_JGT | BPF_K, high, 3, 0);
        miss(m, emit(b, BPF_JMP | BPF_JEQ | BPF_K, high, 0, 0), false);
        load(b, c->index, false);
        miss(m, emit(b, BPF_JMP | (c->op == SECCOMP_OP_GT ? BPF_JGT : BPF_JGE) | BPF_K, low, 0, 0),
             false);
        return;
    case SECCOMP_OP_LT:
    case SECCOMP_OP_LE:
        miss(m, emit(b, BPF_JMP | BPF_JGT | BPF_K, high, 0, 0), true);
        emit(b, BPF_JMP | BPF_JEQ | BPF_K, high, 0, 2); // a smaller high half: holds
        load(b, c->index, false);
        miss(m, emit(b, BPF_JMP | (c->op == SECCOMP_OP_LT ? BPF_JGE : BPF_JGT) | BPF_K, low, 0, 0),
             true);
        return;
    }
}

static void emit_rule(struct block *b, const struct entry *e)
{
    struct misses m = {0};
    if (e->call.index != 0xff)
        condition(b, &e->call, &m);
    for (size_t i = 0; i < e->rule->n_conds; i++)
        condition(b, &e->rule->conds[i], &m);
    emit(b, BPF_RET | BPF_K, e->rule->action, 0, 0);
    for (size_t i = 0; i < m.n && !b->error; i++) { // at most 36 instructions: in reach
        struct sock_filter *f = &b->insns[m.at[i]];
        *(m.on_true[i] ? &f->jt : &f->jf) = (unsigned char)behind(b, m.at[i]);
    }
}

static bool is_whole(const struct entry *e)
{
    return e->rule->n_conds == 0 && e->call.index == 0xff;
}

// In front of what is there. Returns its place.
static size_t put(struct program *p, const struct sock_filter *insns, size_t n)
{
    if (p->start < n) {
        p->error = -E2BIG;
        return BPF_MAXINSNS - 1;
    }
    p->start -= n;
    memcpy(&p->insns[p->start], insns, n * sizeof(*insns));
    return p->start;
}

static bool is_in_reach(const struct program *p, size_t target)
{
    return target - p->start < 250; // a conditional jump reaches 255; some may come in between
}

static size_t answer(struct program *p, uint32_t action)
{
    const struct sock_filter f = {.code = BPF_RET | BPF_K, .k = action};
    for (size_t i = p->start; i < BPF_MAXINSNS && is_in_reach(p, i); i++)
        if (p->insns[i].code == f.code && p->insns[i].k == f.k)
            return i;
    return put(p, &f, 1);
}

// Where to jump to get there from right in front of what is there.
static size_t near(struct program *p, size_t target)
{
    if (is_in_reach(p, target))
        return target;
    if (p->insns[target].code == (BPF_RET | BPF_K))
        return answer(p, p->insns[target].k);
    const struct sock_filter f = {.code = BPF_JMP | BPF_JA, .k = (uint32_t)(target - p->start)};
    return put(p, &f, 1);
}

static size_t branch(struct program *p, uint16_t test, uint32_t k, size_t yes, size_t no)
{
    yes = near(p, yes);
    no = near(p, no);
    const struct sock_filter f = {.code = BPF_JMP | test | BPF_K,
                                  .jt = (unsigned char)(yes - p->start),
                                  .jf = (unsigned char)(no - p->start),
                                  .k = k};
    return put(p, &f, 1);
}

static size_t leaf(struct program *p, const struct run *r, uint32_t otherwise)
{
    struct block b;
    b.n = 0;
    b.error = 0;
    bool open = true; // whether all its rules may fail to match
    if (r->n_entries == 0)
        return answer(p, r->action);
    for (size_t i = 0; i < r->n_entries && open && !b.error; i++) {
        emit_rule(&b, &r->first[i]);
        open = !is_whole(&r->first[i]);
    }
    if (open)
        emit(&b, BPF_RET | BPF_K, otherwise, 0, 0);
    if (b.error)
        p->error = b.error;
    return put(p, b.insns, b.n);
}

// Binary search among runs[a..b[, the call's number being loaded. Returns where it begins.
static size_t search(struct program *p, const struct run *runs, size_t a, size_t b,
                     uint32_t otherwise)
{
    if (p->error)
        return BPF_MAXINSNS - 1;
    if (b - a == 1)
        return leaf(p, &runs[a], otherwise);
    size_t mid = a + (b - a) / 2;
    size_t right = search(p, runs, mid, b, otherwise);
    size_t left = search(p, runs, a, mid, otherwise);
    return branch(p, BPF_JGE, runs[mid].from, right, left);
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

static size_t put_abi(struct program *p, const struct seccomp_profile *profile,
                      enum seccomp_abi abi)
{
    if (!(profile->abis & abi))
        return answer(p, SECCOMP_DENY(ENOSYS));
    size_t most = profile->n * 2 + 1;
    AUTO_FREE struct entry *entries = mem_alloc(most * sizeof(*entries));
    AUTO_FREE struct run *runs = mem_alloc((2 * most + 2) * sizeof(*runs));
    size_t n = resolve(profile, abi, entries);
    size_t n_runs = make_runs(profile, entries, n, runs);
    return search(p, runs, 0, n_runs, profile->otherwise);
}

// One of the numbers in seccomp_data.arch, which is loaded: the ABIs that have it, in front of what
// looks for the others.
static void put_arch(struct program *p, const struct seccomp_profile *profile, uint32_t arch,
                     enum seccomp_abi abi, enum seccomp_abi x32)
{
    static const struct sock_filter load_nr = {.code = BPF_LD | BPF_W | BPF_ABS,
                                               .k = offsetof(struct seccomp_data, nr)};
    size_t others = p->start;
    if (!(profile->abis & ((unsigned)abi | (unsigned)x32)))
        return;
    size_t at = x32 ? put_abi(p, profile, x32) : 0;
    size_t of_abi = put_abi(p, profile, abi);
    at = x32 ? branch(p, BPF_JGE, X32_BIT, at, of_abi) : of_abi;
    if (at != p->start) { // an answer that stands elsewhere
        const struct sock_filter go = {.code = BPF_JMP | BPF_JA, .k = (uint32_t)(at - p->start)};
        (void)put(p, &go, 1);
    }
    at = put(p, &load_nr, 1);
    (void)branch(p, BPF_JEQ, arch, at, others);
}

int seccomp_compile(const struct seccomp_profile *profile, struct sock_filter ret[BPF_MAXINSNS],
                    size_t *ret_n)
{
    static const struct sock_filter load_arch = {.code = BPF_LD | BPF_W | BPF_ABS,
                                                 .k = offsetof(struct seccomp_data, arch)};
    struct program p = {.insns = ret, .start = BPF_MAXINSNS};
    (void)answer(&p, SECCOMP_DENY(ENOSYS));
    put_arch(&p, profile, AUDIT_ARCH_ARM, SECCOMP_ARM, 0);
    put_arch(&p, profile, AUDIT_ARCH_AARCH64, SECCOMP_AARCH64, 0);
    put_arch(&p, profile, AUDIT_ARCH_I386, SECCOMP_I386, 0);
    put_arch(&p, profile, AUDIT_ARCH_X86_64, SECCOMP_X86_64, SECCOMP_X32);
    (void)put(&p, &load_arch, 1);
    if (p.error)
        return p.error;
    *ret_n = BPF_MAXINSNS - p.start;
    memmove(ret, ret + p.start, *ret_n * sizeof(*ret));
    return seccomp_is_valid(ret, *ret_n) ? 0 : -EINVAL;
}
