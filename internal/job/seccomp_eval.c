// SPDX-License-Identifier: Apache-2.0
// The part of classic BPF that seccomp takes, as far as seccomp_compile() makes it: checked, and
// run. A program from a file is only used when it passes.
#include "internal/job/seccomp.h"

#include <string.h>

static bool is_jump(uint16_t code)
{
    return code == (BPF_JMP | BPF_JEQ | BPF_K) || code == (BPF_JMP | BPF_JGE | BPF_K) ||
           code == (BPF_JMP | BPF_JGT | BPF_K) || code == (BPF_JMP | BPF_JSET | BPF_K);
}

bool seccomp_is_valid(const struct sock_filter *insns, size_t n)
{
    if (n == 0 || n > BPF_MAXINSNS)
        return false;
    for (size_t i = 0; i < n; i++) {
        const struct sock_filter *f = &insns[i];
        size_t left = n - i - 1;
        if (is_jump(f->code)) {
            if (f->jt >= left || f->jf >= left)
                return false;
        } else if (f->code == (BPF_JMP | BPF_JA)) {
            if (f->k >= left)
                return false;
        } else if (f->code == (BPF_LD | BPF_W | BPF_ABS)) {
            if (f->k % 4 || f->k >= sizeof(struct seccomp_data))
                return false;
        } else if (f->code != (BPF_ALU | BPF_AND | BPF_K) && f->code != (BPF_RET | BPF_K)) {
            return false;
        }
    }
    return insns[n - 1].code == (BPF_RET | BPF_K);
}

bool seccomp_wants_listener(const struct sock_filter *insns, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (insns[i].code == (BPF_RET | BPF_K) &&
            (insns[i].k & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_USER_NOTIF)
            return true;
    return false;
}

uint32_t seccomp_eval(const struct sock_filter *insns, size_t n, const struct seccomp_data *data)
{
    uint32_t a = 0;
    for (size_t i = 0; i < n; i++) {
        const struct sock_filter *f = &insns[i];
        switch (f->code) {
        case BPF_LD | BPF_W | BPF_ABS:
            memcpy(&a, (const char *)data + f->k, sizeof(a));
            break;
        case BPF_ALU | BPF_AND | BPF_K:
            a &= f->k;
            break;
        case BPF_JMP | BPF_JA:
            i += f->k;
            break;
        case BPF_JMP | BPF_JEQ | BPF_K:
            i += a == f->k ? f->jt : f->jf;
            break;
        case BPF_JMP | BPF_JGE | BPF_K:
            i += a >= f->k ? f->jt : f->jf;
            break;
        case BPF_JMP | BPF_JGT | BPF_K:
            i += a > f->k ? f->jt : f->jf;
            break;
        case BPF_JMP | BPF_JSET | BPF_K:
            i += a & f->k ? f->jt : f->jf;
            break;
        case BPF_RET | BPF_K:
            return f->k;
        default:
            return SECCOMP_RET_KILL_PROCESS;
        }
    }
    return SECCOMP_RET_KILL_PROCESS;
}
