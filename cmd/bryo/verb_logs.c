// SPDX-License-Identifier: Apache-2.0
// bryo logs: what a detached job has printed.
#include "cmd/bryo/cli.h"
#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/base/moment.h"
#include "internal/base/parse.h"
#include "internal/jobs/job_client.h"
#include "internal/jobs/job_log.h"
#include "internal/jobs/jobs.h"

#include <errno.h>
#include <string.h>
#include <time.h>

struct logs_options {
    bool follow;
    uint64_t now_us;
    struct job_log_view view;
};

static int set_follow(void *ctx, const char *value, struct err *err)
{
    (void)value, (void)err;
    ((struct logs_options *)ctx)->follow = true;
    return 0;
}

static int set_timestamps(void *ctx, const char *value, struct err *err)
{
    (void)value, (void)err;
    ((struct logs_options *)ctx)->view.timestamps = true;
    return 0;
}

static int set_tail(void *ctx, const char *value, struct err *err)
{
    struct logs_options *o = ctx;
    // (-1 is docker's other word for it)
    if (strcmp(value, "all") == 0 || strcmp(value, "-1") == 0)
        o->view.tail = UINT64_MAX;
    else if (parse_u64(value, 0, UINT64_MAX - 1, &o->view.tail) < 0)
        return err_set(err, EINVAL, "\"%s\" is neither a number of lines nor \"all\"", value);
    return 0;
}

static int moment(const struct logs_options *o, const char *value, uint64_t *ret, struct err *err)
{
    if (parse_moment(value, o->now_us, ret) == 0)
        return 0;
    return err_set(err, EINVAL,
                   "\"%s\" is no time: expected 10m (that long ago), 2024-05-01T12:00:00Z or "
                   "seconds since 1970",
                   value);
}

static int set_since(void *ctx, const char *value, struct err *err)
{
    struct logs_options *o = ctx;
    return moment(o, value, &o->view.since_us, err);
}

static int set_until(void *ctx, const char *value, struct err *err)
{
    struct logs_options *o = ctx;
    return moment(o, value, &o->view.until_us, err);
}

static int run_logs(const struct cli_verb *verb, const struct invocation *inv, int argc,
                    char **argv)
{
    AUTO_STRV struct strv words = {0};
    AUTO_JOB_INFO struct job_info job = {0};
    struct logs_options o = {.view = JOB_LOG_ALL};
    struct timespec now;
    struct err err = {0};
    int status = 0;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    o.now_us = (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
    if (cli_begin(verb, argc, argv, &o, 1, 1, &words, &status) != CLI_PARSED)
        return status;
    int r = jobs_find(inv->envp, words.v[0], &job, &err);
    if (r == 0)
        r = job_client_logs(&job, o.follow, &o.view, &err);
    return r < 0 ? cli_fail(&err) : 0;
}

// clang-format off
static const struct cli_option options[] = {
    {"follow", 'f', NULL, "Options", "go on until the job ends", CLI_NOTHING, NULL, set_follow},
    {"tail", 'n', "N", "Options", "only the last N lines (default all)", CLI_NOTHING, NULL, set_tail},
    {"since", 0, "TIME", "Options", "only lines from then on: 10m (that long ago), 2024-05-01T12:00:00Z, seconds since 1970",
     CLI_NOTHING, NULL, set_since},
    {"until", 0, "TIME", "Options", "only lines up to then", CLI_NOTHING, NULL, set_until},
    {"timestamps", 't', NULL, "Options", "when each line was begun, in front of it", CLI_NOTHING, NULL, set_timestamps},
};
// clang-format on

const struct cli_verb verb_logs = {
    .name = "logs",
    .path = "bryo logs",
    .synopsis = "[OPTION...] JOB",
    .summary = "print what a detached job has printed",
    .description = "Prints what a detached job has printed, both its standard output and its "
                   "standard error, in the order in which they came. Times are right to a "
                   "hundredth of a second. Where the disk had no room for some of it, the log "
                   "says so in its place, and the job went on.",
    .options = options,
    .n_options = sizeof(options) / sizeof(options[0]),
    .words = CLI_JOBS,
    .run = run_logs,
};
