// SPDX-License-Identifier: Apache-2.0
// bryo exec and bryo attach: to be with a job that runs.
#include "cmd/bryo/cli.h"
#include "cmd/bryo/detach.h"
#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/base/fd.h"
#include "internal/base/parse.h"
#include "internal/job/jobenv.h"
#include "internal/jobs/control_wire.h"
#include "internal/jobs/job_client.h"
#include "internal/jobs/jobs.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

struct exec_options {
    char *const *envp;
    bool tty;
    bool interactive;
    bool detach;
    int waiting; // whoever asked for a command in the background is told by it that it runs
    bool no_input;
    bool no_signals;
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

static int set_background(void *ctx, const char *value, struct err *err)
{
    (void)value, (void)err;
    ((struct exec_options *)ctx)->detach = true;
    return 0;
}

static int set_no_stdin(void *ctx, const char *value, struct err *err)
{
    (void)value, (void)err;
    ((struct exec_options *)ctx)->no_input = true;
    return 0;
}

static int set_sig_proxy(void *ctx, const char *value, struct err *err)
{
    struct exec_options *o = ctx;
    o->no_signals = strcmp(value, "false") == 0;
    return o->no_signals || !*value || strcmp(value, "true") == 0
               ? 0
               : err_set(err, EINVAL, "\"%s\" is not one of true or false", value);
}

static int check_terminal(const struct exec_options *o, struct err *err)
{
    if (!o->tty || !o->interactive || o->detach || isatty(STDIN_FILENO))
        return 0;
    (void)err_set(err, ENOTTY, "the input device is not a TTY");
    return err_hint(err, "-t with -i needs a terminal on standard input: leave out -t");
}

// What went wrong before was said where it was asked for; now that is nobody's any more.
static void on_started(void *ctx)
{
    struct exec_options *o = ctx;
    AUTO_FD int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int i = 1; i <= 2; i++)
        (void)dup2(null, i);
    (void)fd_write_all(o->waiting, "\n", 1);
    fd_closep(&o->waiting);
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
    if (o->detach && (r = detach(&o->waiting, ret_status, err)) != 0)
        return r < 0 ? r : 0;
    const struct exec_how how = {.tty = o->tty,
                                 .interactive = o->interactive && !o->detach,
                                 .silent = o->detach,
                                 .started = o->detach ? on_started : NULL,
                                 .ctx = o};
    return job_client_exec(&job, &o->exec, &how, ret_status, err);
}

static int run_exec(const struct cli_verb *verb, const struct invocation *inv, int argc,
                    char **argv)
{
    AUTO_STRV struct strv words = {0};
    struct exec_options o = {.envp = inv->envp, .waiting = -1};
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
    struct exec_options o = {0};
    struct err err = {0};
    int status = 0;
    if (cli_begin(verb, argc, argv, &o, 1, 1, &words, &status) != CLI_PARSED)
        return status;
    int r = jobs_find(inv->envp, words.v[0], &job, &err);
    if (r == 0)
        r = job_client_not_paused(&job, &err);
    if (r == 0)
        r = job_client_attach(&job, !o.no_input, !o.no_signals, &status, &err);
    return r < 0 ? cli_fail(&err) : status;
}

// clang-format off
static const struct cli_option exec_options[] = {
    {"tty", 't', NULL, "Options", "give the command a terminal of its own", CLI_NOTHING, NULL, set_tty_on},
    {"interactive", 'i', NULL, "Options", "let it read standard input", CLI_NOTHING, NULL, set_interactive_on},
    {"detach", 'd', NULL, "Options", "return when it runs; what it prints is lost", CLI_NOTHING, NULL, set_background},
    {"env", 'e', "NAME[=VALUE]", "Options", "set a variable, besides the job's own", CLI_NOTHING, NULL, set_exec_env},
    {"user", 'u', "USER[:GROUP]", "Options", "as this user of the job's root (default: the job's own)", CLI_NOTHING, NULL, set_exec_user},
    {"workdir", 'w', "DIR", "Options", "start there (default: where the job started)", CLI_NOTHING, NULL, set_exec_workdir},
};
static const struct cli_option attach_options[] = {
    {"no-stdin", 0, NULL, "Options", "only look", CLI_NOTHING, NULL, set_no_stdin},
    {"sig-proxy", 0, "[=true|false]", "Options", "hand signals on to the job (default true); else Ctrl-C leaves it", CLI_NOTHING, NULL, set_sig_proxy},
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
        "system call filter of the job. It ends when the job does, and when this bryo does, which "
        "with -d stays in the background for it. What it prints is masked and guarded where the "
        "job's output is (--secret, --guard); there, what a process prints that it leaves "
        "behind when it ends is lost.",
    OPTIONS(exec_options),
    .words = CLI_JOBS,
    .options_first = true,
    .run = run_exec,
};

const struct cli_verb verb_attach = {
    .name = "attach",
    .path = "bryo attach",
    .synopsis = "[OPTION...] JOB",
    OPTIONS(attach_options),
    .summary = "see what a detached job prints, and type to it",
    .description = "Prints what a detached job prints from now on, and hands it what is typed "
                   "where it was started with -i. Signals are handed on too: Ctrl-C interrupts the "
                   "job. Ctrl-P Ctrl-Q leaves a job that has a terminal (-t); a job without one is "
                   "looked at by bryo logs -f. The status is the job's, or 0 when it was left.",
    .words = CLI_JOBS,
    .run = run_attach,
};
