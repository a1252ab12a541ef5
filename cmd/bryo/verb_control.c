// SPDX-License-Identifier: Apache-2.0
// bryo kill, stop, wait, pause, unpause, rm: what is done to jobs.
#include "cmd/bryo/cli.h"
#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/base/fd.h"
#include "internal/base/parse.h"
#include "internal/jobs/job_client.h"
#include "internal/jobs/jobs.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

struct control_options {
    int signal;
    uint64_t patience_us;
    bool force;
};

typedef int act_fn(const struct control_options *o, struct job_info *job, struct err *err);

// Goes on after a failure, as docker does: the others want to be stopped too.
static int for_each(const struct cli_verb *verb, const struct invocation *inv, int argc,
                    char **argv, struct control_options *o, act_fn *act)
{
    AUTO_STRV struct strv words = {0};
    int status = 0;
    if (cli_begin(verb, argc, argv, o, 1, 10000, &words, &status) != CLI_PARSED)
        return status;
    for (size_t i = 0; i < words.n; i++) {
        AUTO_JOB_INFO struct job_info job = {0};
        AUTO_BUF struct buf line = {0};
        struct err err = {0};
        int r = jobs_find(inv->envp, words.v[i], &job, &err);
        if (r == 0)
            r = act(o, &job, &err);
        buf_addf(&line, "%s\n", words.v[i]);
        if (r < 0)
            status = cli_fail(&err);
        else if (act && r == 0 && cli_print(&line) != 0)
            return CLI_FAILED;
    }
    return status;
}

static int set_signal(void *ctx, const char *value, struct err *err)
{
    static const struct {
        const char *name;
        int number;
    } known[] = {{"KILL", SIGKILL}, {"TERM", SIGTERM}, {"INT", SIGINT},   {"HUP", SIGHUP},
                 {"QUIT", SIGQUIT}, {"USR1", SIGUSR1}, {"USR2", SIGUSR2}, {"WINCH", SIGWINCH}};
    uint64_t number = 0;
    const char *name = strncmp(value, "SIG", 3) == 0 ? value + 3 : value;
    (void)parse_u64(value, 1, NSIG - 1, &number);
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (strcmp(known[i].name, name) == 0 || (int)number == known[i].number) {
            ((struct control_options *)ctx)->signal = known[i].number;
            return 0;
        }
    }
    return err_set(err, EINVAL,
                   "\"%s\" is not one of KILL, TERM, INT, HUP, QUIT, USR1, USR2 or WINCH", value);
}

static int set_time(void *ctx, const char *value, struct err *err)
{
    if (parse_duration(value, &((struct control_options *)ctx)->patience_us) < 0)
        return err_set(err, EINVAL, "\"%s\" is not a duration such as 10 or 1m", value);
    return 0;
}

static int set_force(void *ctx, const char *value, struct err *err)
{
    (void)value, (void)err;
    ((struct control_options *)ctx)->force = true;
    return 0;
}

static int kill_job(const struct control_options *o, struct job_info *job, struct err *err)
{
    return job_client_signal(job, o->signal, err);
}

// A paused job hears nothing until it goes on.
static int wake(struct job_info *job, struct err *err)
{
    return job->state == JOB_PAUSED ? job_client_pause(job, false, err) : 0;
}

static int end_job(struct job_info *job, uint64_t patience_us, struct err *err)
{
    int status;
    int r = 0;
    if (job->state == JOB_EXITED || job->state == JOB_DEAD)
        return 0;
    if (patience_us)
        r = job_client_signal(job, SIGTERM, err);
    if (r == 0)
        r = wake(job, err);
    if (r == 0 && patience_us)
        r = job_client_wait(job, patience_us, &status, err);
    if (r > 0)
        return 0;
    if (r == 0)
        r = job_client_signal(job, SIGKILL, err);
    if (r == 0)
        r = job_client_wait(job, UINT64_MAX, &status, err);
    // A job in the foreground, or with --rm, takes what is known of it away when it ends.
    return r < 0 && jobs_refresh(job) < 0 ? 0 : r;
}

static int stop_job(const struct control_options *o, struct job_info *job, struct err *err)
{
    int r = end_job(job, o->patience_us, err);
    return r > 0 ? 0 : r;
}

static int pause_job(const struct control_options *o, struct job_info *job, struct err *err)
{
    (void)o;
    return job_client_pause(job, true, err);
}

static int unpause_job(const struct control_options *o, struct job_info *job, struct err *err)
{
    (void)o;
    return job_client_pause(job, false, err);
}

static int remove_job(const struct control_options *o, struct job_info *job, struct err *err)
{
    int r = o->force ? end_job(job, 0, err) : 0;
    if (r < 0)
        return r;
    // One that has just ended may have a supervisor that is still tidying up.
    for (int tries = 0; tries < 1000 && jobs_forget(job, err) == -EBUSY; tries++) {
        if (jobs_refresh(job) < 0)
            return 0;
        if (!o->force && (job->state == JOB_RUNNING || job->state == JOB_PAUSED))
            break;
        (void)usleep(10000);
    }
    return jobs_forget(job, err);
}

static int wait_job(const struct control_options *o, struct job_info *job, struct err *err)
{
    AUTO_BUF struct buf line = {0};
    int status = 0;
    (void)o;
    int r = job_client_wait(job, UINT64_MAX, &status, err);
    if (r < 0)
        return r;
    buf_addf(&line, "%d\n", status);
    return cli_print(&line) == 0 ? 1 : -EIO;
}

static int run_kill(const struct cli_verb *verb, const struct invocation *inv, int argc,
                    char **argv)
{
    struct control_options o = {.signal = SIGKILL};
    return for_each(verb, inv, argc, argv, &o, kill_job);
}

static int run_stop(const struct cli_verb *verb, const struct invocation *inv, int argc,
                    char **argv)
{
    struct control_options o = {.patience_us = 10000000};
    return for_each(verb, inv, argc, argv, &o, stop_job);
}

static int run_pause(const struct cli_verb *verb, const struct invocation *inv, int argc,
                     char **argv)
{
    struct control_options o = {0};
    return for_each(verb, inv, argc, argv, &o, pause_job);
}

static int run_unpause(const struct cli_verb *verb, const struct invocation *inv, int argc,
                       char **argv)
{
    struct control_options o = {0};
    return for_each(verb, inv, argc, argv, &o, unpause_job);
}

static int run_rm(const struct cli_verb *verb, const struct invocation *inv, int argc, char **argv)
{
    struct control_options o = {0};
    return for_each(verb, inv, argc, argv, &o, remove_job);
}

static int run_wait(const struct cli_verb *verb, const struct invocation *inv, int argc,
                    char **argv)
{
    struct control_options o = {0};
    return for_each(verb, inv, argc, argv, &o, wait_job);
}

// clang-format off
static const struct cli_option kill_options[] = {
    {"signal", 's', "SIGNAL", "Options",
     "KILL ends all of the job (default); TERM, INT, HUP, QUIT, USR1, USR2 and WINCH reach its command", CLI_NOTHING, NULL, set_signal},
};
static const struct cli_option stop_options[] = {
    {"time", 't', "DURATION", "Options",
     "between asking and killing (default 10s; 0 does not ask)", CLI_NOTHING, "timeout", set_time},
};
static const struct cli_option rm_options[] = {
    {"force", 'f', NULL, "Options", "end it first, if it runs", CLI_NOTHING, NULL, set_force},
};
// clang-format on

#define OPTIONS(table)  .options = (table), .n_options = sizeof(table) / sizeof((table)[0])
#define JOBS_VERB(verb) .path = "bryo " verb, .name = (verb), .words = CLI_JOBS

const struct cli_verb verb_kill = {JOBS_VERB("kill"), .synopsis = "[-s SIGNAL] JOB...",
                                   .summary = "send a signal to jobs", OPTIONS(kill_options),
                                   .run = run_kill};
const struct cli_verb verb_stop = {JOBS_VERB("stop"), .synopsis = "[-t DURATION] JOB...",
                                   .summary = "end jobs: ask by SIGTERM, then kill",
                                   OPTIONS(stop_options), .run = run_stop};
const struct cli_verb verb_wait = {JOBS_VERB("wait"), .synopsis = "JOB...",
                                   .summary = "wait for jobs to end and print their exit statuses",
                                   .run = run_wait};
const struct cli_verb verb_pause = {
    JOBS_VERB("pause"), .synopsis = "JOB...",
    .summary = "stop all processes of jobs where they are",
    .description = "Freezes the job's cgroup; where a job has none every process in it gets "
                   "SIGSTOP, which its children's parents may notice.",
    .run = run_pause};
const struct cli_verb verb_unpause = {JOBS_VERB("unpause"), .synopsis = "JOB...",
                                      .summary = "let paused jobs go on", .run = run_unpause};
const struct cli_verb verb_rm = {JOBS_VERB("rm"), .synopsis = "[-f] JOB...",
                                 .summary = "forget jobs that have ended, with their logs",
                                 OPTIONS(rm_options), .run = run_rm};
