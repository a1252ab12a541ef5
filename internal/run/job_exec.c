// SPDX-License-Identifier: Apache-2.0
#include "internal/run/job_exec.h"

#include "internal/base/buf.h"
#include "internal/base/err.h"
#include "internal/job/jobenv.h"
#include "internal/jobs/control_wire.h"
#include "internal/run/exec_guard.h"
#include "internal/run/job_entry.h"
#include "internal/sandbox/exec_wire.h"

#include <errno.h>
#include <stdlib.h>

struct exec_args {
    struct strv argv;
    struct strv env;
    char *workdir;
    struct job_user user; // where another than the job's own was asked for
};

void job_exec_release(void *ctx)
{
    struct job_entry *e = ctx;
    if (!e->exec)
        return;
    strv_done(&e->exec->argv);
    strv_done(&e->exec->env);
    free(e->exec->workdir);
    job_user_done(&e->exec->user);
    free(e->exec);
    e->exec = NULL;
}

static int find_user(const struct job_entry *e, const char *user, struct job_user *ret,
                     struct err *err)
{
    int r = job_users_find(&e->users, user, ret, err);
    return r < 0 ? r : job_users_check(e->maps, user, ret, err);
}

static void fill_env(const struct job_entry *e, const struct control_exec *q, struct exec_args *a)
{
    for (char *const *v = e->env; v && *v; v++)
        strv_add(&a->env, *v);
    if (*q->user) {
        AUTO_FREE char *home = str_fmt("HOME=%s", a->user.home);
        jobenv_set(&a->env, home);
        AUTO_FREE char *name = str_fmt("USER=%s", a->user.name ? a->user.name : "");
        if (a->user.name)
            jobenv_set(&a->env, name);
    }
    for (size_t i = 0; i < q->env.n; i++)
        jobenv_set(&a->env, q->env.v[i]);
}

int job_exec_resolve(void *ctx, const struct control_exec *q, struct exec_request *ret,
                     struct err *err)
{
    struct job_entry *e = ctx;
    struct exec_args *a = mem_alloc(sizeof(*a));
    e->exec = a;
    int r = *q->user ? find_user(e, q->user, &a->user, err) : 0;
    if (r == 0 && *q->workdir && q->workdir[0] != '/')
        r = err_set(err, EINVAL, "--workdir: %s is not absolute", q->workdir);
    if (r < 0) {
        job_exec_release(e);
        return r;
    }
    fill_env(e, q, a);
    for (size_t i = 0; i < q->argv.n; i++)
        strv_add(&a->argv, q->argv.v[i]);
    a->workdir = str_dup(*q->workdir ? q->workdir : e->workdir);
    const struct job_user *user = *q->user ? &a->user : e->user;
    *ret = (struct exec_request){.argv = a->argv.v,
                                 .envp = a->env.v,
                                 .workdir = a->workdir,
                                 .path = jobenv_get(a->env.v, "PATH"),
                                 .uid = user->uid,
                                 .gid = user->gid,
                                 .groups = user->groups,
                                 .n_groups = user->n_groups};
    return 0;
}

int job_exec_guard(void *ctx)
{
    const struct job_entry *e = ctx;
    return exec_guard_pack(e->spec);
}
