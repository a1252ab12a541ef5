// SPDX-License-Identifier: Apache-2.0
// Why a job failed: evidence in, words out. Nothing is said that the evidence does not hold.
#include "internal/job/idmap.h"
#include "internal/job/result.h"
#include "internal/job/spec.h"
#include "internal/job/stage.h"
#include "internal/run/host_kmsg.h"
#include "internal/run/verdict.h"
#include "tests/unit/tap.h"

#include <errno.h>
#include <signal.h>

#define MIB (UINT64_C(1) << 20)

struct fixture {
    struct job_spec spec;
    struct evidence e;
    struct job_result r;
};

static void set_up(struct fixture *f)
{
    job_spec_init(&f->spec);
    f->e = (struct evidence){.syscall = -1};
    f->r = (struct job_result){.outcome = OUTCOME_EXITED, .status = 1, .started = true};
    usage_init(&f->r.usage);
}

// Checks the cause and that each of the texts (up to NULL) is in the words.
static void expect(struct fixture *f, const char *what, const char *cause, const char *const *texts)
{
    verdict_make(&f->spec, &f->e, &f->r);
    is_str(f->r.cause, cause, "%s", what);
    for (; texts && *texts; texts++)
        if (!ok(strstr(f->r.verdict, *texts) != NULL, "  \"%s\"", *texts))
            diag("%s", f->r.verdict);
    job_spec_done(&f->spec);
}
#define EXPECT(f, what, cause, ...) expect(f, what, cause, (const char *const[]){__VA_ARGS__, NULL})
#define NOTHING(f, what)            expect(f, what, NULL, NULL)

static void memory(void)
{
    struct fixture f;
    set_up(&f);
    f.spec.limits.memory = 100 * MIB;
    f.r.outcome = OUTCOME_SIGNAL;
    f.r.signal = SIGKILL;
    f.r.usage.oom_kills = 1;
    f.r.usage.ooms_here = 3;
    f.r.usage.memory_peak_bytes = 100 * MIB;
    f.e.largest = (struct seen_process){.name = "tail", .inside = 2, .rss_bytes = 98 * MIB};
    EXPECT(&f, "out of memory at a limit", "out-of-memory", "killed 1 process of the job",
           "limit of 100 MiB (--memory)",
           "largest process at the limit was tail (pid 2 in the job), of 98 MiB",
           "peak was 100 MiB", "set --memory to at least 150m");
    set_up(&f);
    f.r.usage.oom_kills = 2;
    f.r.usage.ooms_here = 0;
    (void)strcpy(f.e.victim_name, "cc1plus");
    f.e.victim_bytes = 3 * (1024 * MIB);
    EXPECT(&f, "out of memory elsewhere", "out-of-memory", "2 processes",
           "not for a limit of the job's own", "The first was cc1plus, of 3 GiB");
    ok(!strstr(f.r.verdict, "set --memory"), "  and nothing that would not help is advised");
    set_up(&f);
    f.r.usage.oom_kills = 1;
    f.r.outcome = OUTCOME_SIGNAL;
    f.r.signal = SIGKILL;
    strv_add(&f.spec.argv, "/usr/bin/dd");
    EXPECT(&f, "out of memory, and nobody was seen", "out-of-memory",
           "The job's command, dd, was ended by SIGKILL.");
    set_up(&f);
    f.r.usage.oom_kills = 0;
    f.r.outcome = OUTCOME_SIGNAL;
    f.r.signal = SIGKILL;
    EXPECT(&f, "killed, and not for memory", "killed", "SIGKILL, which bryo did not send",
           "nor the kernel for want of memory");
    set_up(&f);
    f.r.outcome = OUTCOME_SIGNAL;
    f.r.signal = SIGKILL;
    EXPECT(&f, "killed where nothing is known of memory", "killed", "which bryo did not send: ");
}

static void processes(void)
{
    struct fixture f;
    set_up(&f);
    f.spec.limits.pids = 16;
    f.r.usage.pids_max_hits = 5;
    f.r.usage.processes_peak = 16;
    EXPECT(&f, "out of processes", "out-of-processes", "refused a new process or thread 5 times",
           "limit of 16 (--pids-limit)", "most at once were 16",
           "set --pids-limit to more than 16");
    set_up(&f);
    f.r.usage.pids_max_hits = 1;
    EXPECT(&f, "at a limit above", "out-of-processes", "1 time, at a limit of a cgroup above");
    set_up(&f);
    f.r.usage.pids_max_hits = 0;
    NOTHING(&f, "a limit that was not reached");
}

static void deadlines(void)
{
    struct seen_process ran[] = {
        {.name = "make", .inside = 2, .state = 'S', .wchan = "do_wait"},
        {.name = "cc1", .inside = 9, .state = 'R', .leaf = true},
        {.name = "old", .inside = 7, .state = 'Z', .leaf = true},
        {.name = "dd", .inside = 8, .state = 'D', .leaf = true, .wchan = "io_schedule"}};
    struct fixture f;
    set_up(&f);
    f.spec.timeout_us = 90 * UINT64_C(1000000);
    f.r.outcome = OUTCOME_TIMEOUT;
    f.e.running = ran;
    f.e.n_running = 4;
    EXPECT(&f, "a deadline", "timeout", "longer than --timeout allows (1m30s)",
           "cc1 (pid 9 in the job) was running",
           "dd (pid 8 in the job) was sleeping, and not to be interrupted in io_schedule");
    ok(!strstr(f.r.verdict, "old") && !strstr(f.r.verdict, "make"),
       "  but not what had ended, nor what only waited for others");
    set_up(&f);
    f.spec.stall_timeout_us = 300000;
    f.r.outcome = OUTCOME_STALLED;
    f.e.held_on = ran + 1;
    f.e.n_held_on = 1;
    f.e.grace_over = true;
    EXPECT(&f, "silence", "stall-timeout", "--stall-timeout allows (300ms)",
           "SIGTERM did not end it within --grace (5s)", "What held on: cc1 (pid 9 in the job)");
    set_up(&f);
    f.spec.timeout_us = 1000000;
    f.r.outcome = OUTCOME_TIMEOUT;
    f.r.started = false;
    EXPECT(&f, "before it began", "timeout", "had not even begun");
}

static void signals(void)
{
    struct fixture f;
    set_up(&f);
    f.r.outcome = OUTCOME_SIGNAL;
    f.r.signal = SIGTERM;
    f.e.signal = SIGTERM;
    f.e.signal_pid = 77;
    f.e.signal_uid = 1000;
    (void)strcpy(f.e.signal_name, "Runner.Worker");
    EXPECT(&f, "asked by another", "signalled",
           "SIGTERM, from process 77 (Runner.Worker) of user 1000, and passed it on");
    set_up(&f);
    f.e.signal = SIGINT;
    f.e.signal_code = SI_KERNEL;
    EXPECT(&f, "asked by a terminal", "signalled", "SIGINT, from the kernel or a terminal,");
    set_up(&f);
    f.e.signal = f.r.signal = SIGINT;
    f.r.outcome = OUTCOME_SIGNAL;
    f.r.started = false;
    EXPECT(&f, "asked before the command ran", "signalled", "before its command ran");
    set_up(&f);
    f.r.outcome = OUTCOME_SIGNAL;
    f.r.signal = f.e.signal = SIGKILL;
    f.e.signal_by_request = true;
    f.e.signal_pid = 78;
    f.e.signal_uid = 1000;
    (void)strcpy(f.e.signal_name, "bryo");
    EXPECT(&f, "bryo kill", "signalled",
           "ended from outside: process 78 (bryo) of user 1000 had the job sent SIGKILL");
    set_up(&f);
    f.r.status = 3;
    f.e.signal = SIGTERM;
    f.e.signal_by_request = true;
    EXPECT(&f, "bryo stop, and a status of its own", "signalled",
           "signalled from outside before it ended: process 0");
    set_up(&f);
    f.r.outcome = OUTCOME_SIGNAL;
    f.r.signal = SIGSEGV;
    EXPECT(&f, "a crash", "crash", "SIGSEGV (segmentation fault", "--ulimit core=-1");
    set_up(&f);
    f.r.outcome = OUTCOME_SIGNAL;
    f.r.signal = SIGSYS;
    f.e.syscall = 101;
    f.e.syscall_arch = 0xc000003e;
    EXPECT(&f, "a forbidden call", "crash", "SIGSYS", "ptrace (number 101)");
    set_up(&f);
    f.r.status = 139;
    EXPECT(&f, "what a shell says of a crash", "crash", "status 139", "a shell reports", "SIGSEGV");
    set_up(&f);
    f.r.status = 128 + SIGTERM;
    NOTHING(&f, "a status that may mean anything");
}

static void rest(void)
{
    struct fixture f;
    set_up(&f);
    NOTHING(&f, "an ordinary failure");
    set_up(&f);
    f.e.scratch_known = true;
    f.e.scratch_free_bytes = 5000 * MIB;
    NOTHING(&f, "with room left");
    set_up(&f);
    f.e.scratch_known = f.e.scratch_full = true;
    (void)strcpy(f.e.scratch_path, "/c/bryo");
    EXPECT(&f, "no room", "no-space", "is full, 0 bytes free for this user in /c/bryo. Make room");
    set_up(&f);
    f.r = (struct job_result){.outcome = OUTCOME_FAILED,
                              .err = {STAGE_EXEC, ENOENT, "command not found: x", "PATH is /bin"}};
    usage_init(&f.r.usage);
    EXPECT(&f, "no such command", "command-not-found", "command not found: x; PATH is /bin");
    set_up(&f);
    f.r = (struct job_result){.outcome = OUTCOME_FAILED, .err = {STAGE_MAPS, EPERM, "maps", ""}};
    usage_init(&f.r.usage);
    NOTHING(&f, "a failure of bryo's own, which speaks for itself");
}

static void kernel_log(void)
{
    static const char *const records[] = {
        "6,1,5000000,-;oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/"
        ",mems_allowed=0,"
        "oom_memcg=/a/bryo-0123456789ab,task_memcg=/a/bryo-0123456789ab/"
        "job,task=tail,pid=9,uid=5\n",
        "3,2,5000001,-;Memory cgroup out of memory: Killed process 9 (tail) total-vm:109kB, "
        "anon-rss:1024kB, file-rss:512kB, shmem-rss:0kB, UID:5 pgtables:1kB oom_score_adj:0\n"};
    static const char *const audit[] = {
        "5,3,5000002,-;audit: type=1326 audit(4.002:3): auid=1 uid=77 gid=1 ses=1 pid=5 comm=\"x\" "
        "exe=\"/x\" sig=31 arch=c000003e syscall=101 compat=0 ip=0x1 code=0x80000000\n",
        "5,4,5000003,-;audit: type=1326 audit(4.002:3): auid=1 uid=5 gid=1 ses=1 pid=5 comm=\"x\" "
        "exe=\"/x\" sig=0 arch=c000003e syscall=102 compat=0 ip=0x1 code=0x7ffc0000\n",
        "5,5,5000004,-;audit: type=1326 audit(4.002:3): auid=1 uid=5 gid=1 ses=1 pid=5 comm=\"x\" "
        "exe=\"/x\" sig=31 arch=c000003e syscall=103 compat=0 ip=0x1 code=0x80000000\n"};
    struct id_extent mine = {.inside = 0, .outside = 5, .count = 1};
    const struct idmap uids = {.ext = &mine, .n = 1};
    struct kmsg_job job = {.leaf = "bryo-ba9876543210", .from_ms = 4000, .uids = &uids};
    struct evidence e = {.syscall = -1};
    for (int i = 0; i < 2; i++)
        host_kmsg_take(records[i], &job, &e);
    is_str(e.victim_name, "", "what happened in another's cgroup is none of the job's");
    job.leaf = "bryo-0123456789ab";
    for (int i = 0; i < 2; i++)
        host_kmsg_take(records[i], &job, &e);
    is_str(e.victim_name, "tail", "the victim");
    is_int((long)e.victim_bytes, 1536 * 1024, "and its size");
    host_kmsg_take(audit[0], &job, &e);
    is_int(e.syscall, -1, "an audit record of a user that is none of the job's");
    host_kmsg_take(audit[1], &job, &e);
    is_int(e.syscall, -1, "nor is one of a call that was only logged");
    job.from_ms = 5000;
    host_kmsg_take(audit[2], &job, &e);
    is_int(e.syscall, -1, "nor is one from before the job");
    job.from_ms = 4000;
    host_kmsg_take(audit[2], &job, &e);
    ok(e.syscall == 103 && e.syscall_arch == 0xc000003e, "one of the job's");
    static const char *const nonsense[] = {"", ";", "1,2", "1,2,x;oom-kill:", ",,;", "6,1,9,-;"};
    for (size_t i = 0; i < sizeof(nonsense) / sizeof(nonsense[0]); i++)
        host_kmsg_take(nonsense[i], &job, &e);
    ok(true, "nonsense does no harm");
}

int main(void)
{
    memory();
    processes();
    deadlines();
    signals();
    rest();
    kernel_log();
    return done_testing();
}
