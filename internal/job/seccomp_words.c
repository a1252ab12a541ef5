// SPDX-License-Identifier: Apache-2.0
#include "internal/job/seccomp_words.h"

#include "internal/base/parse.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#define N(array) (sizeof(array) / sizeof((array)[0]))

int seccomp_op(const char *word, enum seccomp_op *ret)
{
    static const char *const words[] = {
        [SECCOMP_OP_NE] = "SCMP_CMP_NE",
        [SECCOMP_OP_LT] = "SCMP_CMP_LT",
        [SECCOMP_OP_LE] = "SCMP_CMP_LE",
        [SECCOMP_OP_EQ] = "SCMP_CMP_EQ",
        [SECCOMP_OP_GE] = "SCMP_CMP_GE",
        [SECCOMP_OP_GT] = "SCMP_CMP_GT",
        [SECCOMP_OP_MASKED_EQ] = "SCMP_CMP_MASKED_EQ",
    };
    for (size_t i = 0; i < N(words); i++) {
        if (strcmp(words[i], word) == 0) {
            *ret = (enum seccomp_op)i;
            return 0;
        }
    }
    return -EINVAL;
}

int seccomp_abi(const char *word, enum seccomp_abi native, unsigned *ret)
{
    static const char *const others[] = {
        "MIPS",     "MIPS64",  "MIPS64N32",   "MIPSEL", "MIPSEL64", "MIPSEL64N32",
        "PPC",      "PPC64",   "PPC64LE",     "S390",   "S390X",    "PARISC",
        "PARISC64", "RISCV64", "LOONGARCH64", "M68K",   "SH"};
    static const struct {
        const char *name;
        unsigned abi;
    } abis[] = {{"X86_64", SECCOMP_X86_64},
                {"X86", SECCOMP_I386},
                {"X32", SECCOMP_X32},
                {"AARCH64", SECCOMP_AARCH64},
                {"ARM", SECCOMP_ARM}};
    const char *bare = strncmp(word, "SCMP_ARCH_", 10) == 0 ? word + 10 : word;
    unsigned abi = strcmp(bare, "NATIVE") == 0 ? native : 0;
    for (size_t i = 0; i < N(abis); i++)
        if (strcmp(abis[i].name, bare) == 0)
            abi = abis[i].abi;
    bool known = abi != 0;
    for (size_t i = 0; i < N(others); i++)
        known = known || strcmp(others[i], bare) == 0;
    if (!known)
        return -EINVAL;
    *ret = abi;
    return 0;
}

int seccomp_errno(const char *word, uint64_t *ret)
{
    // glibc knows each number by one name only.
    static const struct {
        const char *name;
        int num;
    } aliases[] = {{"EWOULDBLOCK", EWOULDBLOCK}, {"EDEADLOCK", EDEADLOCK}, {"ENOTSUP", ENOTSUP}};
    if (parse_u64(word, 0, SECCOMP_ERRNO_MAX, ret) == 0)
        return 0;
    for (size_t i = 0; i < N(aliases); i++) {
        if (strcmp(aliases[i].name, word) == 0) {
            *ret = (uint64_t)aliases[i].num;
            return 0;
        }
    }
    for (int num = 1; num <= SECCOMP_ERRNO_MAX; num++) {
        const char *name = strerrorname_np(num);
        if (name && strcmp(name, word) == 0) {
            *ret = (uint64_t)num;
            return 0;
        }
    }
    return -EINVAL;
}
