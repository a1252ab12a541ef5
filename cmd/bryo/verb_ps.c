// SPDX-License-Identifier: Apache-2.0
// bryo ps and bryo inspect: the user's jobs.
#include "cmd/bryo/cli.h"
#include "cmd/bryo/job_filter.h"
#include "cmd/bryo/job_print.h"
#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/base/fd.h"
#include "internal/base/parse.h"
#include "internal/jobs/jobs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct ps_options {
    bool all;
    bool quiet;
    bool names;
    bool json;
    bool whole;
    uint64_t last;       // only so many, of all; UINT64_MAX: no such option
    struct strv filters; // KEY=VALUE, checked
};

static int set_all(void *ctx, const char *value, struct err *err)
{
    (void)value, (void)err;
    ((struct ps_options *)ctx)->all = true;
    return 0;
}

static int set_ids_only(void *ctx, const char *value, struct err *err)
{
    (void)value, (void)err;
    ((struct ps_options *)ctx)->quiet = true;
    return 0;
}

static int set_names(void *ctx, const char *value, struct err *err)
{
    (void)value, (void)err;
    ((struct ps_options *)ctx)->names = true;
    return 0;
}

static int set_format(void *ctx, const char *value, struct err *err)
{
    return cli_set_json(value, &((struct ps_options *)ctx)->json, err);
}

static int set_filter(void *ctx, const char *value, struct err *err)
{
    int r = job_filter_check(value, err);
    if (r == 0)
        strv_add(&((struct ps_options *)ctx)->filters, value);
    return r;
}

static int set_whole(void *ctx, const char *value, struct err *err)
{
    (void)value, (void)err;
    ((struct ps_options *)ctx)->whole = true;
    return 0;
}

static int set_last(void *ctx, const char *value, struct err *err)
{
    if (parse_u64(value, 0, UINT32_MAX, &((struct ps_options *)ctx)->last) < 0)
        return err_set(err, EINVAL, "\"%s\" is no number of jobs", value);
    return 0;
}

static int set_latest(void *ctx, const char *value, struct err *err)
{
    (void)value;
    return set_last(ctx, "1", err);
}

// Those that are wanted come first; how many they are.
static size_t select_jobs(struct job_info *jobs, size_t n, const struct ps_options *o)
{
    size_t kept = 0;
    bool all = o->all || o->last != UINT64_MAX || job_filter_by_state(&o->filters);
    for (size_t i = 0; i < n && kept < o->last; i++) {
        bool runs = jobs[i].state == JOB_RUNNING || jobs[i].state == JOB_PAUSED;
        if (!(all || runs) || !job_filter_passes(&o->filters, &jobs[i]))
            continue;
        struct job_info job = jobs[i];
        jobs[i] = jobs[kept];
        jobs[kept++] = job;
    }
    return kept;
}

static int run_ps(const struct cli_verb *verb, const struct invocation *inv, int argc, char **argv)
{
    AUTO_STRV struct strv words = {0};
    AUTO_BUF struct buf out = {0};
    struct ps_options o = {.last = UINT64_MAX};
    struct job_info *jobs = NULL;
    struct err err = {0};
    size_t n = 0;
    int status = 0;
    int r = cli_begin(verb, argc, argv, &o, 0, 0, &words, &status);
    if (r == CLI_PARSED && (r = jobs_list(inv->envp, &jobs, &n, &err)) < 0)
        status = cli_fail(&err);
    if (r == CLI_PARSED) {
        size_t shown = select_jobs(jobs, n, &o);
        int64_t now_s = (int64_t)time(NULL);
        if (o.json)
            print_job_json(jobs, shown, NULL, now_s, &out);
        else if (!o.quiet && !o.names)
            print_job_table(jobs, shown, o.whole, now_s, &out);
        for (size_t i = 0; !o.json && i < shown; i++) {
            if (o.names && *jobs[i].record.name)
                buf_addf(&out, "%s\n", jobs[i].record.name);
            if (o.names || o.quiet)
                buf_addf(&out, "%s\n", jobs[i].record.id);
        }
        status = cli_print(&out);
    }
    jobs_free(jobs, n);
    strv_done(&o.filters);
    return status;
}

static char *read_result(const struct job_info *job)
{
    AUTO_BUF struct buf text = {0};
    AUTO_FREE char *path = str_fmt("%s/%s", job->path, JOBS_RESULT);
    AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 || fd_read_all(fd, 1U << 20, &text) < 0)
        return NULL;
    return buf_take(&text);
}

static int run_inspect(const struct cli_verb *verb, const struct invocation *inv, int argc,
                       char **argv)
{
    AUTO_STRV struct strv words = {0};
    AUTO_BUF struct buf out = {0};
    struct err err = {0};
    int status = 0;
    if (cli_begin(verb, argc, argv, NULL, 1, 1000, &words, &status) != CLI_PARSED)
        return status;
    size_t n = 0;
    struct job_info *jobs = mem_alloc(words.n * sizeof(*jobs));
    char **results = mem_alloc(words.n * sizeof(*results));
    for (; n < words.n && jobs_find(inv->envp, words.v[n], &jobs[n], &err) == 0; n++)
        results[n] = read_result(&jobs[n]);
    if (n == words.n) {
        print_job_json(jobs, n, (const char *const *)results, (int64_t)time(NULL), &out);
        status = cli_print(&out);
    } else {
        status = cli_fail(&err);
    }
    for (size_t i = 0; i < n; i++)
        free(results[i]);
    free(results);
    jobs_free(jobs, n);
    return status;
}

// clang-format off
static const struct cli_option ps_options[] = {
    {"all", 'a', NULL, "Options", "those that have ended as well", CLI_NOTHING, NULL, set_all},
    {"filter", 'f', "KEY=VALUE", "Options",
     "only those with this id=, name=, label=, status= (running, paused, exited, dead) or exited=STATUS; several of one "
     "key: any of them", CLI_NOTHING, NULL, set_filter},
    {"format", 0, "table|json", "Options", "how to print it (default table)", CLI_NOTHING, NULL, set_format},
    {"quiet", 'q', NULL, "Options", "only the ids", CLI_NOTHING, NULL, set_ids_only},
    {"last", 'n', "N", "Options", "only the newest so many, those that have ended as well", CLI_NOTHING, NULL, set_last},
    {"latest", 'l', NULL, "Options", "only the newest, whether it has ended or not", CLI_NOTHING, NULL, set_latest},
    {"no-trunc", 0, NULL, "Options", "commands at their full length", CLI_NOTHING, NULL, set_whole},
    {"names", 0, NULL, "Options", "only the names and the ids, a line each", CLI_NOTHING, NULL, set_names},
};
// clang-format on

const struct cli_verb verb_ps = {
    .name = "ps",
    .path = "bryo ps",
    .synopsis = "[OPTION...]",
    .summary = "list the jobs that run",
    .description =
        "Lists the jobs of this user, newest first. A job is listed when it is detached or has "
        "run for a tenth of a second. One that is not detached is forgotten when it ends; a "
        "detached one stays, with its log, until bryo rm.",
    .options = ps_options,
    .n_options = sizeof(ps_options) / sizeof(ps_options[0]),
    .run = run_ps,
};

const struct cli_verb verb_inspect = {
    .name = "inspect",
    .path = "bryo inspect",
    .synopsis = "JOB...",
    .summary = "print all that is known of a job, as JSON",
    .description = "Prints an array with an object for each job: what it is, and once it has ended "
                   "its result as --result of bryo run has it.",
    .words = CLI_JOBS,
    .run = run_inspect,
};
