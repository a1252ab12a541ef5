// SPDX-License-Identifier: Apache-2.0
#include "internal/run/verdict.h"

#include "internal/base/buf.h"
#include "internal/base/cleanup.h"
#include "internal/job/result.h"
#include "internal/job/spec.h"
#include "internal/job/stage.h"
#include "internal/run/verdict_words.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

struct maker {
    const struct job_spec *spec;
    const struct evidence *e;
    const struct job_result *r;
    struct buf *out;
};

static bool has_limit(uint64_t n)
{
    return n != LIMIT_NONE && n != LIMIT_MAX;
}

static bool known(uint64_t n)
{
    return n != USAGE_UNKNOWN;
}

// --- out of memory ------------------------------------------------------------------------------

static void name_victim(const struct maker *m)
{
    const struct evidence *e = m->e;
    if (e->victim_name[0]) {
        buf_adds(m->out, m->r->usage.oom_kills == 1 ? " It was " : " The first was ");
        verdict_name(m->out, e->victim_name);
        if (e->victim_bytes) {
            buf_adds(m->out, ", of ");
            verdict_size(m->out, e->victim_bytes);
        }
        buf_addc(m->out, '.');
    } else if (e->largest.name[0]) {
        buf_adds(m->out, " The largest process at the limit was ");
        verdict_name(m->out, e->largest.name);
        buf_addf(m->out, " (pid %d in the job), of ", (int)e->largest.inside);
        verdict_size(m->out, e->largest.rss_bytes);
        buf_addc(m->out, '.');
    } else if (m->r->outcome == OUTCOME_SIGNAL && m->r->signal == SIGKILL && m->spec->argv.n) {
        const char *slash = strrchr(m->spec->argv.v[0], '/');
        buf_adds(m->out, " The job's command, ");
        verdict_name(m->out, slash ? slash + 1 : m->spec->argv.v[0]);
        buf_adds(m->out, ", was ended by SIGKILL.");
    }
}

static bool out_of_memory(const struct maker *m)
{
    const struct usage *u = &m->r->usage;
    if (!known(u->oom_kills) || u->oom_kills == 0)
        return false;
    // memory.events.local counts "oom" where the limit is that was hit.
    bool here = known(u->ooms_here) && u->ooms_here > 0;
    uint64_t limit = m->spec->limits.memory;
    buf_addf(m->out, "out of memory: the kernel killed %" PRIu64 " process%s of the job",
             u->oom_kills, u->oom_kills == 1 ? "" : "es");
    if (here && has_limit(limit)) {
        buf_adds(m->out, ", which had reached its limit of ");
        verdict_size(m->out, limit);
        buf_adds(m->out, " (--memory).");
    } else if (here) {
        buf_adds(m->out, ", which had reached the memory limit of its cgroup.");
    } else {
        buf_adds(m->out,
                 ", and not for a limit of the job's own: a cgroup above it, one that the job "
                 "made, or the machine ran out.");
    }
    name_victim(m);
    if (known(u->memory_peak_bytes)) {
        buf_adds(m->out, " The job's peak was ");
        verdict_size(m->out, u->memory_peak_bytes);
        buf_addc(m->out, '.');
    }
    if (here && has_limit(limit)) {
        buf_adds(m->out, " It needs more than the limit: set --memory to at least ");
        verdict_option_size(m->out, limit + limit / 2);
        buf_adds(m->out, ", and see what peak it then has.");
    }
    return true;
}

// --- processes ----------------------------------------------------------------------------------

static bool out_of_processes(const struct maker *m)
{
    const struct usage *u = &m->r->usage;
    uint64_t limit = m->spec->limits.pids;
    if (!known(u->pids_max_hits) || u->pids_max_hits == 0)
        return false;
    buf_addf(m->out,
             "out of processes: the kernel refused a new process or thread %" PRIu64 " time%s",
             u->pids_max_hits, u->pids_max_hits == 1 ? "" : "s");
    if (has_limit(limit))
        buf_addf(m->out, ", at the limit of %" PRIu64 " (--pids-limit).", limit);
    else
        buf_adds(m->out, ", at a limit of a cgroup above the job.");
    if (known(u->processes_peak))
        buf_addf(m->out, " The most at once were %" PRIu64 ".", u->processes_peak);
    if (has_limit(limit))
        buf_addf(m->out,
                 " If it meant to have so many, set --pids-limit to more than %" PRIu64
                 "; if not, it forks without end.",
                 limit);
    return true;
}

// --- deadlines ----------------------------------------------------------------------------------

static void add_deadline(const struct maker *m, bool stalled)
{
    const struct job_spec *s = m->spec;
    if (stalled) {
        buf_adds(m->out,
                 "the job was ended: it printed nothing for as long as --stall-timeout allows (");
        verdict_duration(m->out, s->stall_timeout_us);
    } else {
        buf_adds(m->out, "the job was ended: it ran longer than --timeout allows (");
        verdict_duration(m->out, s->timeout_us);
    }
    buf_adds(m->out, ").");
    if (!m->r->started)
        buf_adds(m->out, " Its command had not even begun to run.");
    verdict_processes(m->out, " At that moment ", m->e->running, m->e->n_running);
    if (m->e->grace_over && m->e->n_held_on) {
        buf_adds(m->out, " SIGTERM did not end it within --grace (");
        verdict_duration(m->out, s->grace_us);
        buf_adds(m->out, ").");
        verdict_processes(m->out, " What held on: ", m->e->held_on, m->e->n_held_on);
    }
}

// --- signals ------------------------------------------------------------------------------------

static void add_process(const struct maker *m)
{
    const struct evidence *e = m->e;
    buf_addf(m->out, "process %d", e->signal_pid);
    if (e->signal_name[0]) {
        buf_adds(m->out, " (");
        verdict_name(m->out, e->signal_name);
        buf_addc(m->out, ')');
    }
    buf_addf(m->out, " of user %" PRIu32, e->signal_uid);
}

static void add_sender(const struct maker *m)
{
    const struct evidence *e = m->e;
    if (e->signal_code == SI_KERNEL || e->signal_pid == 0) {
        buf_adds(m->out, ", from the kernel or a terminal,");
        return;
    }
    buf_adds(m->out, ", from ");
    add_process(m);
    buf_addc(m->out, ',');
}

// bryo kill, bryo stop: whether the signal ended the job the status must tell.
static void add_request(const struct maker *m)
{
    int sig = m->e->signal;
    bool by_it = m->r->outcome == OUTCOME_SIGNAL ? m->r->signal == sig : m->r->status == 128 + sig;
    buf_adds(m->out, by_it ? "ended from outside: " : "signalled from outside before it ended: ");
    add_process(m);
    buf_adds(m->out, " had the job sent ");
    verdict_signal(m->out, sig);
    buf_adds(m->out, ", as bryo kill and bryo stop do.");
}

static bool asked_from_outside(const struct maker *m)
{
    if (!m->e->signal)
        return false;
    if (m->e->signal_by_request) {
        add_request(m);
        return true;
    }
    buf_adds(m->out, "ended from outside: bryo got ");
    verdict_signal(m->out, m->e->signal);
    add_sender(m);
    buf_adds(m->out, m->r->started ? " and passed it on to the job."
                                   : " and ended the job before its command ran.");
    if (m->e->grace_over && m->e->n_held_on) {
        verdict_processes(m->out, " It was killed after --grace, since it went on: ", m->e->held_on,
                          m->e->n_held_on);
    }
    return true;
}

static void add_forbidden_call(const struct maker *m)
{
    if (m->e->syscall >= 0)
        verdict_syscall(m->out, m->e->syscall, m->e->syscall_arch);
    else
        buf_adds(m->out, " If it was one, the kernel's log names the call, and this user may not "
                         "read that; as root: dmesg | grep type=1326");
}

static void add_crash(const struct maker *m, int sig)
{
    buf_adds(m->out, "the command was ended by ");
    verdict_signal(m->out, sig);
    buf_addf(m->out, " (%s)%s.", verdict_signal_words(sig),
             m->r->core_dumped ? ", core dumped" : "");
    if (sig == SIGSYS) {
        add_forbidden_call(m);
        return;
    }
    if (!m->r->core_dumped)
        buf_adds(m->out, " --ulimit core=-1 lets it leave a core file where the machine's "
                         "kernel.core_pattern says.");
}

static bool ended_by_signal(const struct maker *m)
{
    if (m->r->outcome != OUTCOME_SIGNAL)
        return false;
    if (verdict_is_crash(m->r->signal)) {
        add_crash(m, m->r->signal);
        return true;
    }
    buf_adds(m->out, "the command was ended by ");
    verdict_signal(m->out, m->r->signal);
    buf_adds(m->out, ", which bryo did not send");
    if (m->r->signal == SIGKILL && known(m->r->usage.oom_kills))
        buf_adds(m->out, ", nor the kernel for want of memory (memory.events counts none)");
    buf_adds(m->out,
             ": another process did, of the job or of this machine. The kernel does not tell "
             "which.");
    return true;
}

// --- the rest -----------------------------------------------------------------------------------

static bool scratch_full(const struct maker *m)
{
    if (!m->e->scratch_known || !m->e->scratch_full)
        return false;
    buf_adds(m->out, "no space: the file system with the job's scratch is full, ");
    if (m->e->scratch_free_bytes >= SPACE_LOW_BYTES)
        buf_adds(m->out, "no inode");
    else
        verdict_size(m->out, m->e->scratch_free_bytes);
    buf_addf(m->out, " free for this user in %s", m->e->scratch_path);
    buf_adds(m->out,
             ". Make room there (bryo image prune), or set XDG_CACHE_HOME to a larger disk.");
    return true;
}

// What a shell reports of what it ran.
static bool child_crashed(const struct maker *m)
{
    int sig = m->r->status - 128;
    if (m->r->outcome != OUTCOME_EXITED || sig < 1 || sig > 31 || !verdict_is_crash(sig))
        return false;
    buf_addf(m->out, "the command ended with status %d, which is what a shell reports when ",
             m->r->status);
    verdict_signal(m->out, sig);
    buf_addf(m->out, " (%s) ended what it ran.", verdict_signal_words(sig));
    if (sig == SIGSYS)
        add_forbidden_call(m);
    return true;
}

static const char *find_cause(const struct maker *m)
{
    if (m->r->outcome == OUTCOME_FAILED && m->r->err.stage == STAGE_EXEC) {
        buf_addf(m->out, "%s; %s", m->r->err.text, m->r->err.hint);
        return result_exit_status(m->r) == 127 ? "command-not-found" : "command-not-executable";
    }
    if (m->r->outcome == OUTCOME_TIMEOUT || m->r->outcome == OUTCOME_STALLED) {
        bool stalled = m->r->outcome == OUTCOME_STALLED;
        add_deadline(m, stalled);
        return stalled ? "stall-timeout" : "timeout";
    }
    if (asked_from_outside(m))
        return "signalled";
    if (out_of_memory(m))
        return "out-of-memory";
    if (m->r->outcome == OUTCOME_FAILED)
        return NULL; // bryo's own failure says what it is
    if (ended_by_signal(m))
        return verdict_is_crash(m->r->signal) ? "crash" : "killed";
    if (out_of_processes(m))
        return "out-of-processes";
    if (scratch_full(m))
        return "no-space";
    if (child_crashed(m))
        return "crash";
    return NULL;
}

void verdict_make(const struct job_spec *spec, const struct evidence *evidence,
                  struct job_result *result)
{
    AUTO_BUF struct buf out = {0};
    const struct maker m = {.spec = spec, .e = evidence, .r = result, .out = &out};
    result->cause = find_cause(&m);
    (void)snprintf(result->verdict, sizeof(result->verdict), "%s",
                   result->cause ? buf_str(&out) : "");
}
