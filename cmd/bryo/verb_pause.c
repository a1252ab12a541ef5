// SPDX-License-Identifier: Apache-2.0
// bryo pause and bryo unpause.
#include "cmd/bryo/cli.h"
#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/run/jobs.h"

#include <errno.h>

static int each(char *const envp[], const struct strv *ids, bool pause)
{
    AUTO_FREE char *dir = NULL;
    struct err err = {0};
    int status = 0;
    if (jobs_dir(envp, &dir, &err) < 0)
        return cli_fail(&err);
    for (size_t i = 0; i < ids->n; i++) {
        AUTO_JOB_RECORD struct job_record record = {0};
        int r = jobs_find(dir, ids->v[i], &record, &err);
        if (r == 0)
            r = jobs_pause(&record, pause, &err);
        if (r < 0)
            status = cli_fail(&err);
    }
    return status;
}

static int run(const struct cli_verb *verb, const struct invocation *inv, int argc, char **argv)
{
    AUTO_STRV struct strv words = {0};
    struct err err = {0};
    int r = cli_parse(verb, argc, argv, NULL, &words, &err);
    if (r == CLI_HELP) {
        AUTO_BUF struct buf text = {0};
        cli_usage(verb, &text);
        return cli_print(&text);
    }
    if (r == 0 && words.n == 0) {
        err_set(&err, EINVAL, "%s needs the id of a job that runs", verb->path);
        r = err_hint(&err, "usage: %s %s", verb->path, verb->synopsis);
    }
    return r < 0 ? cli_fail(&err) : each(inv->envp, &words, verb == &verb_pause);
}

const struct cli_verb verb_pause = {
    .name = "pause",
    .path = "bryo pause",
    .synopsis = "ID...",
    .summary = "stop a running job where it is",
    .description = "Freezes all processes of the job by its cgroup; where it has none, stops them "
                   "by SIGSTOP. The first digits of an id will do. Its deadlines go on.",
    .run = run,
};

const struct cli_verb verb_unpause = {
    .name = "unpause",
    .path = "bryo unpause",
    .synopsis = "ID...",
    .summary = "let a paused job go on",
    .run = run,
};
