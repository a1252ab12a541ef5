// SPDX-License-Identifier: Apache-2.0
#include "internal/run/stats_log.h"

#include "internal/base/buf.h"
#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/base/fd.h"
#include "internal/base/log.h"
#include "internal/base/loop.h"
#include "internal/cgroup/host_leaf.h"
#include "internal/job/spec.h"
#include "internal/job/stage.h"
#include "internal/job/stats.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

int stats_log_open(struct stats_log *log, const struct job_spec *spec, struct err *err)
{
    if (!spec->stats_file)
        return 0;
    log->interval_us = spec->stats_interval_us;
    log->fd = open(spec->stats_file, O_WRONLY | O_CREAT | O_TRUNC | O_NOCTTY | O_CLOEXEC, 0666);
    if (log->fd >= 0)
        return 0;
    (void)err_sys(err, errno, "--stats-log: %s", spec->stats_file);
    return err_stage(err, STAGE_REPORT);
}

static void write_out(struct stats_log *log, const struct buf *text)
{
    int r = log->fd >= 0 ? fd_write_all(log->fd, text->data, text->len) : 0;
    if (r == 0)
        return;
    // Half a row is no use, and a job is not ended for the sake of its samples.
    log_warn("--stats-log: %s; no further samples are written", err_words(-r));
    fd_closep(&log->fd);
}

static void sample(struct stats_log *log)
{
    AUTO_BUF struct buf row = {0};
    struct usage usage;
    host_leaf_sample(log->leaf, &usage);
    stats_csv_row(loop_now_us() - log->started_us, &usage, &row);
    write_out(log, &row);
}

static int on_time(void *ctx)
{
    struct stats_log *log = ctx;
    if (log->fd < 0)
        return 0;
    sample(log);
    // At fixed times; those that were missed (a machine that slept) are left out.
    uint64_t now = loop_now_us();
    while (log->next_us <= now)
        log->next_us += log->interval_us;
    (void)loop_at(log->loop, log->next_us, on_time, log);
    return 0;
}

static int start(void *ctx, struct loop *loop, struct supervisor *s, struct err *err)
{
    struct stats_log *log = ctx;
    AUTO_BUF struct buf header = {0};
    (void)s, (void)err;
    log->loop = loop;
    if (log->fd < 0)
        return 0;
    if (log->leaf->outer < 0)
        log_warn("--stats-log: the job has no cgroup here, so nothing can be sampled");
    stats_csv_header(&header);
    write_out(log, &header);
    return 0;
}

static void on_job_started(void *ctx)
{
    struct stats_log *log = ctx;
    if (log->fd < 0 || log->leaf->outer < 0)
        return;
    log->started_us = loop_now_us();
    log->next_us = log->started_us + log->interval_us;
    sample(log);
    (void)loop_at(log->loop, log->next_us, on_time, log);
}

static void on_job_ended(void *ctx)
{
    struct stats_log *log = ctx;
    if (log->fd >= 0 && log->started_us)
        sample(log);
    fd_closep(&log->fd);
}

struct supervise_part stats_log_part(struct stats_log *log, const struct leaf *leaf)
{
    log->leaf = leaf;
    return (struct supervise_part){
        .start = start, .job_started = on_job_started, .job_ended = on_job_ended, .ctx = log};
}

void stats_log_done(struct stats_log *log)
{
    fd_closep(&log->fd);
}
