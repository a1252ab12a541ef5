// SPDX-License-Identifier: Apache-2.0
#include "cmd/bryo/job_print.h"

#include "cmd/bryo/age.h"
#include "cmd/bryo/image_print.h"
#include "internal/base/bytesize.h"
#include "internal/base/cleanup.h"
#include "internal/base/escape.h"
#include "internal/job/usage.h"
#include "internal/jobs/jobs.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

enum { COMMAND_WIDTH = 30 };

static void add_text(struct buf *out, const char *s)
{
    escape_add(out, s, strlen(s));
}

static void add_command(struct buf *out, const struct strv *command, bool whole)
{
    AUTO_BUF struct buf line = {0};
    for (size_t i = 0; i < command->n; i++) {
        if (i)
            buf_addc(&line, ' ');
        add_text(&line, command->v[i]);
    }
    if (line.len > COMMAND_WIDTH && !whole)
        buf_addf(out, "%.*s...", COMMAND_WIDTH - 3, line.data);
    else
        buf_adds(out, buf_str(&line));
}

// As docker has it: "Up 5 minutes (Paused)", "Exited (3) 2 hours ago".
static void add_status(struct buf *out, const struct job_info *job, int64_t now_s)
{
    switch (job->state) {
    case JOB_RUNNING:
    case JOB_PAUSED:
        buf_adds(out, "Up ");
        print_span((int64_t)job->record.started_s, now_s, out);
        buf_adds(out, job->state == JOB_PAUSED ? " (Paused)" : "");
        break;
    case JOB_EXITED:
        buf_addf(out, "Exited (%d) ", job->exit_status);
        print_age((int64_t)job->ended_s, now_s, out);
        break;
    case JOB_DEAD:
        buf_adds(out, "Dead");
        break;
    }
}

// Those of a job that has ended are others' to take.
static void add_ports(struct buf *out, const struct job_info *job)
{
    const struct strv *ports = &job->record.ports;
    bool runs = job->state == JOB_RUNNING || job->state == JOB_PAUSED;
    for (size_t i = 0; runs && i < ports->n; i++)
        buf_addf(out, "%s%s", i ? ", " : "", ports->v[i]);
}

static void take_cell(struct strv *cells, struct buf *cell)
{
    strv_add(cells, buf_str(cell));
    buf_clear(cell);
}

static void add_head(struct strv *cells, const char *const *names, size_t n)
{
    for (size_t i = 0; i < n; i++)
        strv_add(cells, names[i]);
}

void print_job_table(const struct job_info *jobs, size_t n, bool whole, int64_t now_s,
                     struct buf *out)
{
    static const char *const head[] = {
        "JOB ID", "ROOT FILE SYSTEM", "COMMAND", "CREATED", "STATUS", "PORTS", "NAMES"};
    const size_t columns = sizeof(head) / sizeof(head[0]);
    AUTO_STRV struct strv cells = {0};
    AUTO_BUF struct buf cell = {0};
    add_head(&cells, head, columns);
    for (size_t i = 0; i < n; i++) {
        const struct job_record *r = &jobs[i].record;
        const char *slash = strrchr(r->rootfs, '/');
        strv_add(&cells, r->id);
        add_text(&cell, slash && slash[1] ? slash + 1 : r->rootfs);
        take_cell(&cells, &cell);
        add_command(&cell, &r->command, whole);
        take_cell(&cells, &cell);
        print_age((int64_t)r->started_s, now_s, &cell);
        take_cell(&cells, &cell);
        add_status(&cell, &jobs[i], now_s);
        take_cell(&cells, &cell);
        add_ports(&cell, &jobs[i]);
        take_cell(&cells, &cell);
        add_text(&cell, r->name);
        take_cell(&cells, &cell);
    }
    print_rows(&cells, columns, out);
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

static void add_list(struct buf *out, const char *key, const struct strv *list)
{
    buf_addf(out, "\"%s\":[", key);
    for (size_t i = 0; i < list->n; i++) {
        buf_adds(out, i ? ",\"" : "\"");
        escape_add_json(out, list->v[i], strlen(list->v[i]));
        buf_addc(out, '"');
    }
    buf_adds(out, "],");
}

// An object, NAME: VALUE.
static void add_labels(struct buf *out, const struct strv *labels)
{
    buf_adds(out, "\"labels\":{");
    for (size_t i = 0; i < labels->n; i++) {
        const char *label = labels->v[i];
        size_t n = strcspn(label, "=");
        buf_adds(out, i ? ",\"" : "\"");
        escape_add_json(out, label, n);
        buf_adds(out, "\":\"");
        if (label[n])
            escape_add_json(out, label + n + 1, strlen(label + n + 1));
        buf_addc(out, '"');
    }
    buf_adds(out, "},");
}

static void add_job(struct buf *out, const struct job_info *job, const char *result, int64_t now_s)
{
    const struct job_record *r = &job->record;
    AUTO_BUF struct buf status = {0};
    add_status(&status, job, now_s);
    buf_addc(out, '{');
    add_string(out, "id", r->id);
    add_string(out, "name", r->name);
    add_string(out, "state", job_state_name(job->state));
    add_string(out, "status", buf_str(&status));
    add_list(out, "command", &r->command);
    add_string(out, "rootfs", r->rootfs);
    add_string(out, "workdir", r->workdir);
    add_string(out, "cgroup", r->cgroup);
    add_list(out, "ports", &r->ports);
    add_labels(out, &r->labels);
    add_time(out, "started", r->started_s);
    if (job->state == JOB_EXITED)
        add_time(out, "ended", job->ended_s);
    else
        buf_adds(out, "\"ended\":null,");
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
                    int64_t now_s, struct buf *out)
{
    buf_addc(out, '[');
    for (size_t i = 0; i < n; i++) {
        buf_adds(out, i ? ",\n" : "\n");
        add_job(out, &jobs[i], results ? results[i] : NULL, now_s);
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
        bytesize_add(out, n);
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
    static const char *const head[] = {"JOB ID",         "NAME",           "CPU %",
                                       "MEMORY / LIMIT", "READ / WRITTEN", "PIDS"};
    const size_t columns = sizeof(head) / sizeof(head[0]);
    AUTO_STRV struct strv cells = {0};
    AUTO_BUF struct buf cell = {0};
    add_head(&cells, head, columns);
    for (size_t i = 0; i < n; i++) {
        const struct usage *u = stats[i].now;
        uint64_t share;
        strv_add(&cells, stats[i].job->record.id);
        add_text(&cell, *stats[i].job->record.name ? stats[i].job->record.name : "-");
        take_cell(&cells, &cell);
        if (cpu_share(&stats[i], &share))
            strv_addf(&cells, "%" PRIu64 ".%02" PRIu64 "%%", share / 100, share % 100);
        else
            strv_add(&cells, "-");
        add_size(&cell, u->memory_bytes);
        buf_adds(&cell, " / ");
        add_size(&cell, u->memory_max_bytes);
        take_cell(&cells, &cell);
        add_size(&cell, u->read_bytes);
        buf_adds(&cell, " / ");
        add_size(&cell, u->write_bytes);
        take_cell(&cells, &cell);
        add_count(&cell, u->processes);
        take_cell(&cells, &cell);
    }
    print_rows(&cells, columns, out);
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
