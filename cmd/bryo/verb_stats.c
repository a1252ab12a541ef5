// SPDX-License-Identifier: Apache-2.0
// bryo stats: what running jobs use.
#include "cmd/bryo/cli.h"
#include "cmd/bryo/job_print.h"
#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/base/loop.h"
#include "internal/job/usage.h"
#include "internal/jobs/job_client.h"
#include "internal/jobs/jobs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct stats_options {
    bool follow;
    bool json;
};

// One round: the jobs and what each used.
struct round {
    struct job_info *jobs;
    struct usage *usage;
    size_t n;
    uint64_t at_us;
};

static void round_done(struct round *r)
{
    jobs_free(r->jobs, r->n);
    free(r->usage);
    *r = (struct round){0};
}

static int set_follow(void *ctx, const char *value, struct err *err)
{
    (void)value, (void)err;
    ((struct stats_options *)ctx)->follow = true;
    return 0;
}

static int set_once(void *ctx, const char *value, struct err *err)
{
    (void)value, (void)err;
    ((struct stats_options *)ctx)->follow = false;
    return 0;
}

static int set_format(void *ctx, const char *value, struct err *err)
{
    return cli_set_json(value, &((struct stats_options *)ctx)->json, err);
}

static bool is_wanted(const struct job_info *job, const struct strv *words)
{
    if (job->state != JOB_RUNNING && job->state != JOB_PAUSED)
        return false;
    for (size_t i = 0; i < words->n; i++)
        if (strcmp(words->v[i], job->record.name) == 0 ||
            strncmp(words->v[i], job->record.id, strlen(words->v[i])) == 0)
            return true;
    return words->n == 0;
}

static int look(const struct invocation *inv, const struct strv *words, struct round *ret,
                struct err *err)
{
    struct job_info *all = NULL;
    size_t n = 0;
    int r = jobs_list(inv->envp, &all, &n, err);
    if (r < 0)
        return r;
    *ret = (struct round){.jobs = mem_alloc((n + 1) * sizeof(struct job_info)),
                          .usage = mem_alloc((n + 1) * sizeof(struct usage)),
                          .at_us = loop_now_us()};
    for (size_t i = 0; i < n; i++) {
        if (!is_wanted(&all[i], words))
            continue;
        (void)job_client_usage(&all[i], &ret->usage[ret->n], NULL);
        ret->jobs[ret->n++] = all[i];
        all[i] = (struct job_info){0};
    }
    jobs_free(all, n);
    return 0;
}

// A name that was mistyped would else show as a job that uses nothing.
static int check(const struct invocation *inv, const struct strv *words, struct err *err)
{
    int r = 0;
    for (size_t i = 0; i < words->n && r == 0; i++) {
        AUTO_JOB_INFO struct job_info job = {0};
        r = jobs_find(inv->envp, words->v[i], &job, err);
        if (r == 0 && job.state != JOB_RUNNING && job.state != JOB_PAUSED)
            r = err_set(err, ESRCH, "the job %s does not run (%s)", words->v[i],
                        job_state_name(job.state));
    }
    return r;
}

static const struct usage *usage_before(const struct round *before, const char *id)
{
    for (size_t i = 0; i < before->n; i++)
        if (strcmp(before->jobs[i].record.id, id) == 0)
            return &before->usage[i];
    return NULL;
}

static int show(const struct round *before, const struct round *now, const struct stats_options *o)
{
    AUTO_BUF struct buf out = {0};
    struct job_stats *stats = mem_alloc((now->n + 1) * sizeof(*stats));
    for (size_t i = 0; i < now->n; i++)
        stats[i] = (struct job_stats){.job = &now->jobs[i],
                                      .now = &now->usage[i],
                                      .before = usage_before(before, now->jobs[i].record.id),
                                      .between_us = now->at_us - before->at_us};
    if (o->json) {
        print_stats_json(stats, now->n, &out);
    } else {
        if (o->follow && isatty(STDOUT_FILENO) == 1)
            buf_adds(&out, "\033[H\033[J"); // the table stays where it is
        print_stats_table(stats, now->n, &out);
    }
    free(stats);
    return cli_print(&out);
}

static int run_stats(const struct cli_verb *verb, const struct invocation *inv, int argc,
                     char **argv)
{
    AUTO_STRV struct strv words = {0};
    struct stats_options o = {0};
    struct round before = {0};
    struct err err = {0};
    int status = 0;
    if (cli_begin(verb, argc, argv, &o, 0, 10000, &words, &status) != CLI_PARSED)
        return status;
    int r = check(inv, &words, &err);
    if (r == 0)
        r = look(inv, &words, &before, &err);
    do {
        struct round now = {0};
        // A share of a processor is known after a moment only.
        (void)usleep(o.follow ? 1000000 : 250000);
        if (r == 0)
            r = look(inv, &words, &now, &err);
        if (r == 0)
            status = show(&before, &now, &o);
        round_done(&before);
        before = now;
    } while (r == 0 && status == 0 && o.follow);
    round_done(&before);
    return r < 0 ? cli_fail(&err) : status;
}

// clang-format off
static const struct cli_option options[] = {
    {"follow", 'f', NULL, "Options", "again every second, until interrupted", CLI_NOTHING, NULL, set_follow},
    {"no-stream", 0, NULL, "Options", "once, which is what it does without --follow", CLI_NOTHING, NULL, set_once},
    {"format", 0, "table|json", "Options", "how to print it (default table)", CLI_NOTHING, NULL, set_format},
};
// clang-format on

const struct cli_verb verb_stats = {
    .name = "stats",
    .path = "bryo stats",
    .synopsis = "[--follow] [--format table|json] [JOB...]",
    .summary = "show what running jobs use",
    .description = "Shows processor time, memory, disk traffic and processes of running jobs, as "
                   "their cgroups count them, or where a job has none as /proc does; \"-\" "
                   "stands for what is not known.",
    .options = options,
    .n_options = sizeof(options) / sizeof(options[0]),
    .words = CLI_JOBS,
    .run = run_stats,
};
