// SPDX-License-Identifier: Apache-2.0
// bryo exec, attach and logs: to be with a job that runs.
#include "cmd/bryo/cli.h"
#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/base/parse.h"
#include "internal/job/jobenv.h"
#include "internal/jobs/control_wire.h"
#include "internal/jobs/job_client.h"
#include "internal/jobs/jobs.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

struct exec_options {
    char *const *envp;
    bool tty;
    bool interactive;
    bool follow;
    uint64_t tail;
    struct control_exec exec;
};

static int set_tty_on(void *ctx, const char *value, struct err *err)
{
    (void)value, (void)err;
    ((struct exec_options *)ctx)->tty = true;
    return 0;
}

static int set_interactive_on(void *ctx, const char *value, struct err *err)
{
    (void)value, (void)err;
    ((struct exec_options *)ctx)->interactive = true;
    return 0;
}

static int set_follow(void *ctx, const char *value, struct err *err)
{
    (void)value, (void)err;
    ((struct exec_options *)ctx)->follow = true;
    return 0;
}

static int set_tail(void *ctx, const char *value, struct err *err)
{
    struct exec_options *o = ctx;
    if (strcmp(value, "all") == 0)
        o->tail = UINT64_MAX;
    else if (parse_u64(value, 0, UINT64_MAX - 1, &o->tail) < 0)
        return err_set(err, EINVAL, "\"%s\" is neither a number of lines nor \"all\"", value);
    return 0;
}

static int set_exec_env(void *ctx, const char *value, struct err *err)
{
    struct exec_options *o = ctx;
    return jobenv_assign(value, o->envp, &o->exec.env, err);
}

static int set_exec_user(void *ctx, const char *value, struct err *err)
{
    struct exec_options *o = ctx;
    if (!*value)
        return err_set(err, EINVAL, "expected a user, not an empty word");
    free_p(&o->exec.user);
    o->exec.user = str_dup(value);
    return 0;
}

static int set_exec_workdir(void *ctx, const char *value, struct err *err)
{
    struct exec_options *o = ctx;
    if (value[0] != '/')
        return err_set(err, EINVAL, "\"%s\" is not an absolute path", value);
    free_p(&o->exec.workdir);
    o->exec.workdir = str_dup(value);
    return 0;
}

static int check_terminal(const struct exec_options *o, struct err *err)
{
    if (!o->tty || !o->interactive || isatty(STDIN_FILENO))
        return 0;
    (void)err_set(err, ENOTTY, "the input device is not a TTY");
    return err_hint(err, "-t with -i needs a terminal on standard input: leave out -t");
}

static int exec_in(struct exec_options *o, const struct invocation *inv, const struct strv *words,
                   int *ret_status, struct err *err)
{
    AUTO_JOB_INFO struct job_info job = {0};
    const char *term = jobenv_get(inv->envp, "TERM");
    int r = check_terminal(o, err);
    if (r == 0)
        r = jobs_find(inv->envp, words->v[0], &job, err);
    if (r == 0)
        r = job_client_not_paused(&job, err);
    if (r < 0)
        return r;
    // JOB -- COMMAND, as bryo run has it: no program is called "--".
    size_t first = words->n > 2 && strcmp(words->v[1], "--") == 0 ? 2 : 1;
    for (size_t i = first; i < words->n; i++)
        strv_add(&o->exec.argv, words->v[i]);
    if (o->tty)
        strv_addf(&o->exec.env, "TERM=%s", term ? term : "xterm");
    return job_client_exec(&job, &o->exec, o->tty, o->interactive, ret_status, err);
}

static int run_exec(const struct cli_verb *verb, const struct invocation *inv, int argc,
                    char **argv)
{
    AUTO_STRV struct strv words = {0};
    struct exec_options o = {.envp = inv->envp};
    struct err err = {0};
    int status = 0;
    int r = cli_begin(verb, argc, argv, &o, 2, SIZE_MAX, &words, &status);
    if (r == CLI_PARSED && exec_in(&o, inv, &words, &status, &err) < 0) {
        bool missing = err.num == ENOENT && strncmp(err.text, "command not found", 17) == 0;
        status = cli_fail(&err);
        status = missing ? 127 : status;
    }
    control_exec_done(&o.exec);
    return status;
}

static int run_attach(const struct cli_verb *verb, const struct invocation *inv, int argc,
                      char **argv)
{
    AUTO_STRV struct strv words = {0};
    AUTO_JOB_INFO struct job_info job = {0};
    struct err err = {0};
    int status = 0;
    if (cli_begin(verb, argc, argv, NULL, 1, 1, &words, &status) != CLI_PARSED)
        return status;
    int r = jobs_find(inv->envp, words.v[0], &job, &err);
    if (r == 0)
        r = job_client_not_paused(&job, &err);
    if (r == 0)
        r = job_client_attach(&job, &status, &err);
    return r < 0 ? cli_fail(&err) : status;
}

static int run_logs(const struct cli_verb *verb, const struct invocation *inv, int argc,
                    char **argv)
{
    AUTO_STRV struct strv words = {0};
    AUTO_JOB_INFO struct job_info job = {0};
    struct exec_options o = {.tail = UINT64_MAX};
    struct err err = {0};
    int status = 0;
    if (cli_begin(verb, argc, argv, &o, 1, 1, &words, &status) != CLI_PARSED)
        return status;
    int r = jobs_find(inv->envp, words.v[0], &job, &err);
    if (r == 0)
        r = job_client_logs(&job, o.follow, o.tail, &err);
    return r < 0 ? cli_fail(&err) : 0;
}

// clang-format off
static const struct cli_option exec_options[] = {
    {"tty", 't', NULL, "Options", "give the command a terminal of its own", CLI_NOTHING, NULL, set_tty_on},
    {"interactive", 'i', NULL, "Options", "let it read standard input", CLI_NOTHING, NULL, set_interactive_on},
    {"env", 'e', "NAME[=VALUE]", "Options", "set a variable, besides the job's own", CLI_NOTHING, NULL, set_exec_env},
    {"user", 'u', "USER[:GROUP]", "Options", "as this user of the job's root (default: the job's own)", CLI_NOTHING, NULL, set_exec_user},
    {"workdir", 'w', "DIR", "Options", "start there (default: where the job started)", CLI_NOTHING, NULL, set_exec_workdir},
};
static const struct cli_option logs_options[] = {
    {"follow", 'f', NULL, "Options", "go on until the job ends", CLI_NOTHING, NULL, set_follow},
    {"tail", 'n', "N", "Options", "only the last N lines (default all)", CLI_NOTHING, NULL, set_tail},
};
// clang-format on

#define OPTIONS(table) .options = (table), .n_options = sizeof(table) / sizeof((table)[0])

const struct cli_verb verb_exec = {
    .name = "exec",
    .path = "bryo exec",
    .synopsis = "[OPTION...] JOB [--] COMMAND [ARG...]",
    .summary = "run a further command in a job that runs",
    .description =
        "Runs a command as the job's init starts it: with the limits, the privileges and the "
        "system call filter of the job. It ends when the job does, and when this bryo does. What "
        "it "
        "prints is masked and guarded where the job's output is (--secret, --guard).",
    OPTIONS(exec_options),
    .words = CLI_JOBS,
    .options_first = true,
    .run = run_exec,
};

const struct cli_verb verb_attach = {
    .name = "attach",
    .path = "bryo attach",
    .synopsis = "JOB",
    .summary = "see what a detached job prints, and type to it",
    .description = "Prints what a detached job prints from now on, and hands it what is typed "
                   "where it was started with -i. Signals are handed on too: Ctrl-C interrupts the "
                   "job. Ctrl-P Ctrl-Q leaves a job that has a terminal (-t); a job without one is "
                   "looked at by bryo logs -f. The status is the job's, or 0 when it was left.",
    .words = CLI_JOBS,
    .run = run_attach,
};

const struct cli_verb verb_logs = {
    .name = "logs",
    .path = "bryo logs",
    .synopsis = "[-f] [--tail N] JOB",
    .summary = "print what a detached job has printed",
    OPTIONS(logs_options),
    .words = CLI_JOBS,
    .run = run_logs,
};
