// SPDX-License-Identifier: Apache-2.0
#include "internal/run/job_guard.h"

#include "internal/base/buf.h"
#include "internal/base/err.h"
#include "internal/base/fd.h"
#include "internal/job/secret.h"
#include "internal/job/spec.h"
#include "internal/job/stage.h"
#include "internal/roots/host_paths.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <unistd.h>

bool job_guard_filters(const struct job_spec *spec)
{
    return spec->guard || spec->n_secrets > 0;
}

void job_guard_protect(const struct job_spec *spec)
{
    struct rlimit limit;
    if (spec->n_secrets == 0 || getrlimit(RLIMIT_CORE, &limit) < 0)
        return;
    // 0 keeps the kernel from writing a file, and still has it start the program that a "|" in
    // core_pattern names; with 1 (byte) it does neither: core(5), do_coredump() in the kernel.
    limit.rlim_cur = limit.rlim_max < 1 ? 0 : 1;
    (void)setrlimit(RLIMIT_CORE, &limit);
}

int job_guard_stop_commands(struct job_guard *g, const struct job_spec *spec, char *const envp[],
                            struct err *err)
{
    unsigned char random[16];
    AUTO_BUF struct buf line = {0};
    const char *github = host_paths_getenv(envp, "GITHUB_ACTIONS");
    if (!spec->guard || !github || strcmp(github, "true") != 0)
        return 0;
    if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random)) {
        (void)err_sys(err, errno, "cannot make a random token for --guard");
        return err_stage(err, STAGE_SUPERVISE);
    }
    for (size_t i = 0; i < sizeof(random); i++)
        (void)snprintf(g->token + 2 * i, 3, "%02x", random[i]);
    buf_addf(&line, "::stop-commands::%s\n", g->token);
    // A reader that is gone is found out by the job, as without a guard.
    (void)fd_write_all(STDOUT_FILENO, line.data, line.len);
    return 0;
}

void job_guard_start(struct job_guard *g, const struct job_spec *spec)
{
    if (!job_guard_filters(spec))
        return;
    for (size_t i = 0; i < spec->n_secrets; i++)
        secret_add_forms(&spec->secrets[i], &g->masker);
    masker_build(&g->masker);
    for (int i = 0; i < 2; i++) {
        struct outfilter *f = &g->filters[i];
        f->mask.m = spec->n_secrets ? &g->masker : NULL;
        f->guards = spec->guard;
        f->terminal = spec->guard && !spec->tty && isatty(i == 0 ? STDOUT_FILENO : STDERR_FILENO);
        g->filter[i] = f;
    }
}

void job_guard_end(struct job_guard *g)
{
    if (g->token[0]) {
        AUTO_BUF struct buf line = {0};
        // The runner takes a command only at the beginning of a line.
        buf_addf(&line, "%s::%s::\n", g->filters[0].mid_line ? "\n" : "", g->token);
        (void)fd_write_all(STDOUT_FILENO, line.data, line.len);
    }
    for (int i = 0; i < 2; i++)
        outfilter_done(&g->filters[i]);
    masker_done(&g->masker);
    *g = (struct job_guard){0};
}
