// SPDX-License-Identifier: Apache-2.0
#include "internal/run/job_entry.h"

#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/base/fd.h"
#include "internal/base/log.h"
#include "internal/base/loop.h"
#include "internal/job/result.h"
#include "internal/job/spec.h"
#include "internal/job/stage.h"
#include "internal/run/job_exec.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

// A job that ends sooner need not be found by anybody, and starts so much the faster.
enum { LISTED_AFTER_US = 100000 };

void job_entry_init(struct job_entry *e)
{
    *e = (struct job_entry){.detach_fd = -1,
                            .dir = JOB_DIR_NONE,
                            .log = -1,
                            .times = LOG_TIMES_NONE,
                            .terminal = {-1, -1},
                            .input = {-1, -1}};
    job_control_init(&e->control);
}

static int open_log(struct job_entry *e, struct err *err)
{
    e->log = openat(e->dir.fd, JOBS_LOG, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    for (int i = 0; e->log >= 0 && i < 2; i++)
        e->terminal[i] = fcntl(i + 1, F_DUPFD_CLOEXEC, 3);
    if (e->log < 0 || e->terminal[0] < 0 || e->terminal[1] < 0 || dup2(e->log, 1) < 0 ||
        dup2(e->log, 2) < 0 || log_times_create(e->dir.fd, &e->times) < 0) {
        (void)err_sys(err, errno, "cannot make the job's log in %s", e->dir.path);
        return err_stage(err, STAGE_REPORT);
    }
    log_times_mark(&e->times, e->log); // bryo may have the first word
    return 0;
}

int job_entry_detach(struct job_entry *e, struct err *err)
{
    if (!e->spec->detach)
        return 0;
    int r = jobs_create(e->envp, e->id, e->spec->name ? e->spec->name : "", &e->dir, err);
    if (r == 0)
        r = open_log(e, err);
    if (r == 0 && e->spec->interactive && !e->spec->tty && pipe2(e->input, O_CLOEXEC) < 0) {
        (void)err_sys(err, errno, "cannot make a pipe for the job's input");
        r = err_stage(err, STAGE_REPORT);
    }
    return r;
}

static void fill_record(const struct job_entry *e, struct job_record *r)
{
    const struct job_spec *spec = e->spec;
    *r = (struct job_record){.id = str_dup(e->id),
                             .name = str_dup(spec->name ? spec->name : ""),
                             .rootfs = str_dup(spec->rootfs ? spec->rootfs : "host"),
                             .workdir = str_dup(e->workdir),
                             .cgroup = str_dup(e->cgroup ? e->cgroup : ""),
                             .started_s = (uint64_t)time(NULL),
                             .bryo = (uint64_t)getpid(),
                             .init = (uint64_t)supervisor_init(e->supervisor),
                             .detached = spec->detach,
                             .tty = spec->tty,
                             .interactive = spec->interactive};
    for (size_t i = 0; i < spec->argv.n; i++)
        strv_add(&r->command, spec->argv.v[i]);
    for (size_t i = 0; i < spec->labels.n; i++)
        strv_add(&r->labels, spec->labels.v[i]);
    for (size_t i = 0; i < e->ports->n; i++)
        strv_add(&r->ports, e->ports->v[i]);
}

static int publish(struct job_entry *e, struct err *err)
{
    AUTO_JOB_RECORD struct job_record record = {0};
    int r = 0;
    if (e->dir.fd < 0)
        r = jobs_create(e->envp, e->id, e->spec->name ? e->spec->name : "", &e->dir, err);
    if (r == 0) {
        e->control.input = e->input[1];
        e->control.resolve = job_exec_resolve;
        e->control.release = job_exec_release;
        e->control.guard = job_exec_guard;
        e->control.ctx = e;
        r = job_control_open(&e->control, &e->dir, e->loop, e->supervisor, err);
    }
    fill_record(e, &record);
    return r < 0 ? r : jobs_write_record(&e->dir, &record, err);
}

static int on_listed(void *ctx)
{
    struct err err = {0};
    // A job that cannot be listed runs all the same.
    if (publish(ctx, &err) < 0)
        log_warn("the job will not be listed by bryo ps: %s", err.text);
    return 0;
}

// bryo run --detach, which waits for this, prints it and is done.
static void let_go(struct job_entry *e)
{
    AUTO_FREE char *line = str_fmt("%s\n", e->id);
    if (e->detach_fd >= 0)
        (void)fd_write_all(e->detach_fd, line, strlen(line));
    fd_closep(&e->detach_fd);
    fd_closep(&e->terminal[0]);
    fd_closep(&e->terminal[1]);
    fd_closep(&e->input[0]);
}

static int start(void *ctx, struct loop *loop, struct supervisor *s, struct err *err)
{
    struct job_entry *e = ctx;
    (void)err;
    e->loop = loop;
    e->supervisor = s;
    return 0;
}

static void job_started(void *ctx)
{
    struct job_entry *e = ctx;
    struct err err = {0};
    if (!e->spec->detach) {
        (void)loop_at(e->loop, loop_now_us() + LISTED_AFTER_US, on_listed, e);
    } else if (publish(e, &err) < 0) {
        supervisor_fail(e->supervisor, &err);
    } else {
        let_go(e);
    }
}

static void output(void *ctx)
{
    struct job_entry *e = ctx;
    log_times_mark(&e->times, e->log);
}

static int message(void *ctx, const struct channel_msg *msg, int *fd)
{
    return job_control_message(&((struct job_entry *)ctx)->control, msg, fd);
}

struct supervise_part job_entry_part(struct job_entry *e)
{
    return (struct supervise_part){
        .start = start, .message = message, .job_started = job_started, .output = output, .ctx = e};
}

void job_entry_return(struct job_entry *e)
{
    e->never_ran = e->terminal[0] >= 0;
    log_times_mark(&e->times, e->log); // what bryo has to say comes now
    for (int i = 0; i < 2; i++)
        if (e->terminal[i] >= 0)
            (void)dup2(e->terminal[i], i + 1);
    fd_closep(&e->terminal[0]);
    fd_closep(&e->terminal[1]);
}

void job_entry_end(struct job_entry *e, const struct job_result *result)
{
    AUTO_BUF struct buf json = {0};
    struct err err = {0};
    bool ran = !e->never_ran && result->started;
    if (e->dir.fd >= 0 && e->spec->detach && ran && !e->spec->remove) {
        result_to_json(result, &json);
        if (jobs_write_result(&e->dir, &json, &err) < 0)
            log_err(&err);
        job_control_end(&e->control, result_exit_status(result));
        jobs_close(&e->dir);
    } else {
        job_control_end(&e->control, result_exit_status(result));
        jobs_remove(&e->dir);
    }
    log_times_close(&e->times);
    fd_closep(&e->log);
    fd_closep(&e->input[0]);
    fd_closep(&e->input[1]);
}
