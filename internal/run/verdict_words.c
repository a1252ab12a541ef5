// SPDX-License-Identifier: Apache-2.0
#include "internal/run/verdict_words.h"

#include "internal/base/buf.h"
#include "internal/base/cleanup.h"

#include <inttypes.h>
#include <seccomp.h>
#include <signal.h>
#include <string.h>

#define NAMED_MAX 4

void verdict_size(struct buf *out, uint64_t bytes)
{
    static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
    unsigned unit = 0;
    uint64_t rest = 0;
    for (; bytes >= 1024 && unit < 4; unit++) {
        rest = bytes % 1024;
        bytes /= 1024;
    }
    if (unit > 0 && bytes < 10 && rest * 10 / 1024)
        buf_addf(out, "%" PRIu64 ".%" PRIu64 " %s", bytes, rest * 10 / 1024, units[unit]);
    else
        buf_addf(out, "%" PRIu64 " %s", bytes, units[unit]);
}

void verdict_option_size(struct buf *out, uint64_t bytes)
{
    buf_addf(out, "%" PRIu64 "m", (bytes + (1 << 20) - 1) >> 20);
}

void verdict_duration(struct buf *out, uint64_t us)
{
    static const struct {
        const char *name;
        uint64_t us;
    } units[] = {{"h", 3600000000ULL}, {"m", 60000000}, {"s", 1000000}, {"ms", 1000}, {"us", 1}};
    if (us == 0)
        buf_adds(out, "0s");
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]) && us; i++) {
        if (us < units[i].us)
            continue;
        buf_addf(out, "%" PRIu64 "%s", us / units[i].us, units[i].name);
        us %= units[i].us;
    }
}

void verdict_name(struct buf *out, const char *name)
{
    buf_adds(out, name);
}

void verdict_signal(struct buf *out, int sig)
{
    const char *name = sigabbrev_np(sig);
    if (name)
        buf_addf(out, "SIG%s", name);
    else
        buf_addf(out, "signal %d", sig);
}

static const struct {
    int sig;
    const char *words;
} crashes[] = {
    {SIGSEGV, "segmentation fault: it used memory that is not its own"},
    {SIGBUS, "bus error: it used memory behind the end of a file, or misaligned"},
    {SIGABRT, "it aborted itself, as a failed assertion does"},
    {SIGFPE, "arithmetic error, such as a division by zero"},
    {SIGILL, "illegal instruction: built for another processor, perhaps"},
    {SIGTRAP, "a breakpoint, or a failed assertion"},
    {SIGSYS, "sent, as a rule, by a seccomp filter for a system call that it forbids"},
};

bool verdict_is_crash(int sig)
{
    return *verdict_signal_words(sig) != '\0';
}

const char *verdict_signal_words(int sig)
{
    for (size_t i = 0; i < sizeof(crashes) / sizeof(crashes[0]); i++)
        if (crashes[i].sig == sig)
            return crashes[i].words;
    return "";
}

void verdict_syscall(struct buf *out, int number, uint32_t arch)
{
    AUTO_FREE char *name = seccomp_syscall_resolve_num_arch(arch, number);
    if (name)
        buf_addf(out, " The kernel's log of that time names the call: %s (number %d).", name,
                 number);
    else
        buf_addf(out,
                 " The kernel's log of that time names the call: number %d of architecture %#x.",
                 number, arch);
}

static const char *state_words(char state)
{
    switch (state) {
    case 'R':
        return "running";
    case 'S':
        return "sleeping";
    case 'D':
        return "sleeping, and not to be interrupted";
    case 'T':
        return "stopped by a signal";
    case 't':
        return "stopped by a debugger";
    case 'Z':
        return "ended, and not waited for";
    case 'I':
        return "idle";
    default:
        break;
    }
    return "in an unknown state";
}

void verdict_processes(struct buf *out, const char *lead, const struct seen_process *p, size_t n)
{
    size_t named = 0;
    size_t leaves = 0;
    for (size_t i = 0; i < n; i++)
        leaves += p[i].leaf && p[i].state != 'Z';
    for (size_t i = 0; i < n && named < NAMED_MAX; i++) {
        if (!p[i].leaf || (p[i].state == 'Z' && leaves))
            continue;
        buf_adds(out, named++ ? ", " : lead);
        verdict_name(out, p[i].name);
        buf_addf(out, " (pid %d in the job) was %s", (int)p[i].inside, state_words(p[i].state));
        if (p[i].wchan[0]) {
            buf_adds(out, " in ");
            verdict_name(out, p[i].wchan);
        }
    }
    if (leaves > named)
        buf_addf(out, ", and %zu more", leaves - named);
    if (named)
        buf_addc(out, '.');
}
