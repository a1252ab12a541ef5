// SPDX-License-Identifier: Apache-2.0
// Which system calls a job may make: as rules by name, and as the program that the kernel runs
// (seccomp(2)). Pure data; the kernel sees it in guest_seccomp.c.
#ifndef BRYO_JOB_SECCOMP_H
#define BRYO_JOB_SECCOMP_H

#include "internal/base/buf.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

#define SECCOMP_DENY(num) (SECCOMP_RET_ERRNO | (uint32_t)(num))

// An application binary interface has its own numbers. A bit each.
enum seccomp_abi {
    SECCOMP_X86_64 = 1,
    SECCOMP_X32 = 2,
    SECCOMP_I386 = 4,
    SECCOMP_AARCH64 = 8,
    SECCOMP_ARM = 16,
};

enum seccomp_op {
    SECCOMP_OP_NE,
    SECCOMP_OP_LT,
    SECCOMP_OP_LE,
    SECCOMP_OP_EQ,
    SECCOMP_OP_GE,
    SECCOMP_OP_GT,
    SECCOMP_OP_MASKED_EQ, // (argument & mask) == value
};

struct seccomp_cond {
    uint8_t index; // of the argument, 0 to 5
    enum seccomp_op op;
    uint64_t value; // compared with all 64 bits of the argument, unsigned
    uint64_t mask;
};

// Until Linux 5.16 a process with a filter lost speculative store bypass and the shared prediction
// of indirect branches as well, as if it ran a stranger's code beside secrets in its own address
// space (a browser of that time). That costs a build several per cent. A job is no such process:
// what it must not read is in other address spaces, into which store bypass does not reach, and
// whoever has secrets there or here asks for the protection of its branches itself
// (PR_SET_SPECULATION_CTRL). With this flag a job is on every kernel what any process of the user
// is on a newer one. runc sets it as well, unless the profile has flags of its own: an empty list
// is the way to do without.
#define SECCOMP_FLAGS SECCOMP_FILTER_FLAG_SPEC_ALLOW

#define SECCOMP_CONDS_MAX 6

struct seccomp_rule {
    char *call;      // its name; owned
    uint32_t action; // SECCOMP_RET_* with its data
    uint8_t n_conds; // all of them must hold; 0: always
    struct seccomp_cond conds[SECCOMP_CONDS_MAX];
};

struct seccomp_profile {
    unsigned abis; // others get ENOSYS, as from a kernel that was built without them
    uint32_t otherwise;
    bool newer_is_enosys; // calls with numbers above all that the rules name
    bool whole_call_wins; // a rule without conditions makes the call's other rules void, as with
                          // libseccomp; else the first rule that matches decides
    uint32_t flags;       // SECCOMP_FILTER_FLAG_*; SECCOMP_FLAGS where nothing else is said
    struct seccomp_rule *rules;
    size_t n;
};

void seccomp_profile_done(struct seccomp_profile *p);
#define AUTO_SECCOMP AUTO(seccomp_profile_done)

// Appends a rule without conditions and returns it; valid until the next one.
struct seccomp_rule *seccomp_add(struct seccomp_profile *p, const char *call, uint32_t action);
void seccomp_add_cond(struct seccomp_rule *rule, unsigned index, enum seccomp_op op, uint64_t value,
                      uint64_t mask);

// What a profile depends on besides itself.
struct seccomp_given {
    unsigned native;    // the ABI of this machine (seccomp_native)
    uint64_t caps;      // of the job
    bool no_userns;     // --no-userns
    unsigned kernel[2]; // version, for "minKernel"
};
unsigned seccomp_native(void);
uint32_t seccomp_audit_arch(void); // its AUDIT_ARCH_*

// bryo's own profile (seccomp_default.c argues it).
void seccomp_default(const struct seccomp_given *given, struct seccomp_profile *ret);

// An OCI or docker profile (OCI runtime-spec config-linux.md, "Seccomp"; moby's archMap, includes
// and excludes). notes: a line each about what was ignored. -EINVAL with err saying where.
int seccomp_from_json(const char *text, size_t len, const struct seccomp_given *given,
                      struct seccomp_profile *ret, struct strv *notes, struct err *err);

// The number of a call in one ABI, < 0 where it has none; the name of a number, NULL where unknown
// (the caller frees). Also of calls that are newer than libseccomp.
int seccomp_number(enum seccomp_abi abi, const char *call);
char *seccomp_name(uint32_t audit_arch, uint32_t nr);

// Whether any ABI has a call of this name.
bool seccomp_is_call(const char *call);

// The program of a profile: at most BPF_MAXINSNS instructions into ret. -E2BIG, -EINVAL (a rule
// that the kernel's checker would not take).
int seccomp_compile(const struct seccomp_profile *p, struct sock_filter ret[BPF_MAXINSNS],
                    size_t *ret_n);

// Whether the kernel would take such a program (seccomp_check_filter() in kernel/seccomp.c), and
// whether any of its answers goes to a listener.
bool seccomp_is_valid(const struct sock_filter *insns, size_t n);
bool seccomp_wants_listener(const struct sock_filter *insns, size_t n);

// What the kernel would answer. The program must be valid.
uint32_t seccomp_eval(const struct sock_filter *insns, size_t n, const struct seccomp_data *data);

#endif
