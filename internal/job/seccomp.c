// SPDX-License-Identifier: Apache-2.0
#include "internal/job/seccomp.h"

#include <linux/audit.h>
#include <stdlib.h>
#include <string.h>

void seccomp_profile_done(struct seccomp_profile *p)
{
    for (size_t i = 0; i < p->n; i++)
        free(p->rules[i].call);
    free(p->rules);
    *p = (struct seccomp_profile){0};
}

struct seccomp_rule *seccomp_add(struct seccomp_profile *p, const char *call, uint32_t action)
{
    p->rules = mem_grow(p->rules, p->n + 1, sizeof(*p->rules));
    struct seccomp_rule *rule = &p->rules[p->n++];
    *rule = (struct seccomp_rule){.call = str_dup(call), .action = action};
    return rule;
}

void seccomp_add_cond(struct seccomp_rule *rule, unsigned index, enum seccomp_op op, uint64_t value,
                      uint64_t mask)
{
    rule->conds[rule->n_conds++] =
        (struct seccomp_cond){.index = (uint8_t)index, .op = op, .value = value, .mask = mask};
}

unsigned seccomp_native(void)
{
#if defined(__x86_64__) && !defined(__ILP32__)
    return SECCOMP_X86_64;
#elif defined(__aarch64__)
    return SECCOMP_AARCH64;
#else
#error "bryo has no system call profile for this processor: add its ABI to seccomp_names.c"
#endif
}

uint32_t seccomp_audit_arch(void)
{
    return seccomp_native() == SECCOMP_X86_64 ? AUDIT_ARCH_X86_64 : AUDIT_ARCH_AARCH64;
}
