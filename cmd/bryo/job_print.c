// SPDX-License-Identifier: Apache-2.0
#include "cmd/bryo/job_print.h"

#include "cmd/bryo/image_print.h"
#include "internal/base/cleanup.h"
#include "internal/base/escape.h"
#include "internal/job/usage.h"
#include "internal/run/jobs.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

enum { COMMAND_WIDTH = 30 };

static void pad(struct buf *out, size_t start, size_t width)
{
    size_t have = out->len - start;
    do
        buf_addc(out, ' ');
    while (++have < width);
}

static void add_text(struct buf *out, const char *s)
{
    escape_add(out, s, strlen(s));
}

static void add_command(struct buf *out, const struct strv *command)
{
    AUTO_BUF struct buf line = {0};
    for (size_t i = 0; i < command->n; i++) {
        if (i)
            buf_addc(&line, ' ');
        add_text(&line, command->v[i]);
    }
    if (line.len > COMMAND_WIDTH)
        buf_addf(out, "%.*s...", COMMAND_WIDTH - 3, line.data);
    else
        buf_adds(out, buf_str(&line));
}

static void add_status(struct buf *out, const struct job_info *job, int64_t now_s)
{
    AUTO_BUF struct buf age = {0};
    print_age((int64_t)job->record.started_s, now_s, &age);
    switch (job->state) {
    case JOB_RUNNING:
        buf_adds(out, "Up");
        break;
    case JOB_PAUSED:
        buf_adds(out, "Up (paused)");
        break;
    case JOB_EXITED:
        buf_addf(out, "Exited (%d)", job->exit_status);
        break;
    case JOB_DEAD:
        buf_adds(out, "Dead");
        break;
    }
}

void print_job_table(const struct job_info *jobs, size_t n, int64_t now_s, struct buf *out)
{
    buf_adds(out, "JOB ID        ROOT FILE SYSTEM      COMMAND                         "
                  "CREATED           STATUS        NAME\n");
    for (size_t i = 0; i < n; i++) {
        const struct job_record *r = &jobs[i].record;
        const char *slash = strrchr(r->rootfs, '/');
        size_t at = out->len;
        buf_adds(out, r->id);
        pad(out, at, 14);
        at = out->len;
        add_text(out, slash && slash[1] ? slash + 1 : r->rootfs);
        pad(out, at, 22);
        at = out->len;
        add_command(out, &r->command);
        pad(out, at, 32);
        at = out->len;
        print_age((int64_t)r->started_s, now_s, out);
        pad(out, at, 18);
        at = out->len;
        add_status(out, &jobs[i], now_s);
        if (*r->name) {
            pad(out, at, 14);
            add_text(out, r->name);
        }
        buf_addc(out, '\n');
    }
}

static void add_string(struct buf *out, const char *key, const char *s)
{
    buf_addf(out, "\"%s\":\"", key);
    escape_add_json(out, s, strlen(s));
    buf_adds(out, "\",");
}

static void add_time(struct buf *out, const char *key, uint64_t seconds)
{
    time_t t = (time_t)seconds;
    struct tm tm;
    char text[32] = "";
    if (gmtime_r(&t, &tm))
        (void)strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
    add_string(out, key, text);
}

static void add_job(struct buf *out, const struct job_info *job, const char *result)
{
    const struct job_record *r = &job->record;
    buf_addc(out, '{');
    add_string(out, "id", r->id);
    add_string(out, "name", r->name);
    add_string(out, "state", job_state_name(job->state));
    buf_adds(out, "\"command\":[");
    for (size_t i = 0; i < r->command.n; i++) {
        buf_adds(out, i ? ",\"" : "\"");
        escape_add_json(out, r->command.v[i], strlen(r->command.v[i]));
        buf_addc(out, '"');
    }
    buf_adds(out, "],");
    add_string(out, "rootfs", r->rootfs);
    add_string(out, "workdir", r->workdir);
    add_string(out, "cgroup", r->cgroup);
    add_time(out, "started", r->started_s);
    buf_addf(out,
             "\"detached\":%s,\"tty\":%s,\"interactive\":%s,\"bryo_pid\":%" PRIu64
             ",\"init_pid\":%" PRIu64 ",\"exit_status\":",
             r->detached ? "true" : "false", r->tty ? "true" : "false",
             r->interactive ? "true" : "false", r->bryo, r->init);
    if (job->state == JOB_EXITED)
        buf_addf(out, "%d", job->exit_status);
    else
        buf_adds(out, "null");
    if (result)
        buf_addf(out, ",\"result\":%.*s", (int)strcspn(result, "\n"), result);
    buf_addc(out, '}');
}

void print_job_json(const struct job_info *jobs, size_t n, const char *const *results,
                    struct buf *out)
{
    buf_addc(out, '[');
    for (size_t i = 0; i < n; i++) {
        buf_adds(out, i ? ",\n" : "\n");
        add_job(out, &jobs[i], results ? results[i] : NULL);
    }
    buf_adds(out, n ? "\n]\n" : "]\n");
}

// --- stats
// ------------------------------------------------------------------------------------------

// Hundredths of a percent of one processor; false where it is not known.
static bool cpu_share(const struct job_stats *s, uint64_t *ret)
{
    if (!s->before || !s->between_us || s->now->cpu_usage_us == USAGE_UNKNOWN ||
        s->before->cpu_usage_us == USAGE_UNKNOWN || s->now->cpu_usage_us < s->before->cpu_usage_us)
        return false;
    *ret = (s->now->cpu_usage_us - s->before->cpu_usage_us) * 10000 / s->between_us;
    return true;
}

static void add_size(struct buf *out, uint64_t n)
{
    if (n == USAGE_UNKNOWN)
        buf_addc(out, '-');
    else
        print_size(n, out);
}

static void add_count(struct buf *out, uint64_t n)
{
    if (n == USAGE_UNKNOWN)
        buf_addc(out, '-');
    else
        buf_addf(out, "%" PRIu64, n);
}

void print_stats_table(const struct job_stats *stats, size_t n, struct buf *out)
{
    buf_adds(out, "JOB ID        NAME          CPU %     MEMORY / LIMIT           READ / WRITTEN"
                  "           PIDS\n");
    for (size_t i = 0; i < n; i++) {
        const struct usage *u = stats[i].now;
        uint64_t share;
        size_t at = out->len;
        buf_adds(out, stats[i].job->record.id);
        pad(out, at, 14);
        at = out->len;
        add_text(out, *stats[i].job->record.name ? stats[i].job->record.name : "-");
        pad(out, at, 14);
        at = out->len;
        if (cpu_share(&stats[i], &share))
            buf_addf(out, "%" PRIu64 ".%02" PRIu64, share / 100, share % 100);
        else
            buf_addc(out, '-');
        pad(out, at, 10);
        at = out->len;
        add_size(out, u->memory_bytes);
        buf_adds(out, " / ");
        add_size(out, u->memory_max_bytes);
        pad(out, at, 25);
        at = out->len;
        add_size(out, u->read_bytes);
        buf_adds(out, " / ");
        add_size(out, u->write_bytes);
        pad(out, at, 25);
        add_count(out, u->processes);
        buf_addc(out, '\n');
    }
}

static void add_figure(struct buf *out, const char *key, uint64_t n)
{
    if (n == USAGE_UNKNOWN)
        buf_addf(out, ",\"%s\":null", key);
    else
        buf_addf(out, ",\"%s\":%" PRIu64, key, n);
}

void print_stats_json(const struct job_stats *stats, size_t n, struct buf *out)
{
    buf_addc(out, '[');
    for (size_t i = 0; i < n; i++) {
        const struct usage *u = stats[i].now;
        uint64_t share;
        buf_addf(out, "%s{\"id\":\"%s\"", i ? ",\n" : "\n", stats[i].job->record.id);
        if (cpu_share(&stats[i], &share))
            buf_addf(out, ",\"cpu_percent\":%" PRIu64 ".%02" PRIu64, share / 100, share % 100);
        else
            buf_adds(out, ",\"cpu_percent\":null");
        add_figure(out, "cpu_us", u->cpu_usage_us);
        add_figure(out, "memory_bytes", u->memory_bytes);
        add_figure(out, "memory_max_bytes", u->memory_max_bytes);
        add_figure(out, "swap_bytes", u->swap_bytes);
        add_figure(out, "read_bytes", u->read_bytes);
        add_figure(out, "write_bytes", u->write_bytes);
        add_figure(out, "processes", u->processes);
        buf_addc(out, '}');
    }
    buf_adds(out, n ? "\n]\n" : "]\n");
}
