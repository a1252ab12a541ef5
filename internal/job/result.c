// SPDX-License-Identifier: Apache-2.0
#include "internal/job/result.h"

#include "internal/base/buf.h"
#include "internal/base/escape.h"
#include "internal/job/stage.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/resource.h>

enum {
    STATUS_TIMEOUT = 124,
    STATUS_BRYO_FAILED = 125,
    STATUS_NOT_EXECUTABLE = 126,
    STATUS_NOT_FOUND = 127,
};

static int failed_status(const struct err *e)
{
    if (e->stage != STAGE_EXEC)
        return STATUS_BRYO_FAILED;
    return e->num == ENOENT || e->num == ENOTDIR ? STATUS_NOT_FOUND : STATUS_NOT_EXECUTABLE;
}

int result_exit_status(const struct job_result *r)
{
    switch (r->outcome) {
    case OUTCOME_EXITED:
        return r->status >= 0 && r->status <= 255 ? r->status : STATUS_BRYO_FAILED;
    case OUTCOME_SIGNAL:
        return r->signal >= 1 && r->signal <= 64 ? 128 + r->signal : STATUS_BRYO_FAILED;
    case OUTCOME_TIMEOUT:
    case OUTCOME_STALLED:
        return STATUS_TIMEOUT;
    case OUTCOME_FAILED:
        return failed_status(&r->err);
    }
    return STATUS_BRYO_FAILED;
}

static const char *outcome_name(enum outcome o)
{
    switch (o) {
    case OUTCOME_EXITED:
        return "exited";
    case OUTCOME_SIGNAL:
        return "signal";
    case OUTCOME_TIMEOUT:
        return "timeout";
    case OUTCOME_STALLED:
        return "stall-timeout";
    case OUTCOME_FAILED:
        break;
    }
    return "bryo-error";
}

static void add_string(struct buf *out, const char *key, const char *s)
{
    buf_addf(out, "\"%s\":", key);
    if (!s || !*s) {
        buf_adds(out, "null");
        return;
    }
    buf_addc(out, '"');
    escape_add_json(out, s, strlen(s));
    buf_addc(out, '"');
}

// A figure, or null where it is not known.
static void add_number(struct buf *out, const char *key, bool known, uint64_t n)
{
    if (known)
        buf_addf(out, "\"%s\":%" PRIu64, key, n);
    else
        buf_addf(out, "\"%s\":null", key);
}

static void add_error(struct buf *out, const struct job_result *r)
{
    if (r->outcome != OUTCOME_FAILED) {
        buf_adds(out, "\"error\":null");
        return;
    }
    const char *name = strerrorname_np(r->err.num);
    buf_adds(out, "\"error\":{");
    add_string(out, "stage", stage_name(r->err.stage));
    buf_addc(out, ',');
    add_string(out, "errno", name);
    buf_addc(out, ',');
    add_string(out, "message", r->err.text);
    buf_addc(out, ',');
    add_string(out, "hint", r->err.hint);
    buf_addc(out, '}');
}

static void add_verdict(struct buf *out, const struct job_result *r)
{
    if (!r->cause) {
        buf_adds(out, "\"verdict\":null");
        return;
    }
    buf_adds(out, "\"verdict\":{");
    add_string(out, "cause", r->cause);
    buf_addc(out, ',');
    add_string(out, "text", r->verdict);
    buf_addc(out, '}');
}

static void add_usage(struct buf *out, const struct job_result *r)
{
    const struct {
        const char *key;
        uint64_t value;
    } figures[] = {
        {"user_us", r->user_us},
        {"system_us", r->system_us},
        {"max_rss_bytes", r->max_rss_bytes},
        {"minor_faults", r->minor_faults},
        {"major_faults", r->major_faults},
        {"read_blocks", r->read_blocks},
        {"write_blocks", r->write_blocks},
    };
    for (size_t i = 0; i < sizeof(figures) / sizeof(figures[0]); i++) {
        buf_addc(out, ',');
        add_number(out, figures[i].key, r->has_usage, figures[i].value);
    }
}

static void add_cgroup_usage(struct buf *out, const struct usage *u)
{
    const struct {
        const char *key;
        uint64_t value;
    } figures[] = {
        {"throttled_us", u->throttled_us},
        {"peak_memory_bytes", u->memory_peak_bytes},
        {"peak_swap_bytes", u->swap_peak_bytes},
        {"page_faults", u->page_faults},
        {"major_page_faults", u->major_page_faults},
        {"read_bytes", u->read_bytes},
        {"write_bytes", u->write_bytes},
        {"read_ops", u->read_ops},
        {"write_ops", u->write_ops},
        {"peak_processes", u->processes_peak},
        {"cpu_stall_us", u->cpu_stall_us},
        {"memory_stall_us", u->memory_stall_us},
        {"io_stall_us", u->io_stall_us},
        {"oom_kills", u->oom_kills},
    };
    for (size_t i = 0; i < sizeof(figures) / sizeof(figures[0]); i++) {
        buf_addc(out, ',');
        add_number(out, figures[i].key, figures[i].value != USAGE_UNKNOWN, figures[i].value);
    }
}

void result_set_rusage(struct job_result *r, const struct rusage *u)
{
    r->has_usage = true;
    r->user_us = (uint64_t)u->ru_utime.tv_sec * 1000000 + (uint64_t)u->ru_utime.tv_usec;
    r->system_us = (uint64_t)u->ru_stime.tv_sec * 1000000 + (uint64_t)u->ru_stime.tv_usec;
    r->max_rss_bytes = (uint64_t)u->ru_maxrss * 1024;
    r->minor_faults = (uint64_t)u->ru_minflt;
    r->major_faults = (uint64_t)u->ru_majflt;
    r->read_blocks = (uint64_t)u->ru_inblock;
    r->write_blocks = (uint64_t)u->ru_oublock;
}

void result_to_json(const struct job_result *r, struct buf *out)
{
    buf_adds(out, "{");
    add_string(out, "outcome", outcome_name(r->outcome));
    buf_addf(out, ",\"exit_status\":%d,", result_exit_status(r));
    add_number(out, "status", r->outcome == OUTCOME_EXITED, (uint64_t)r->status);
    buf_addc(out, ',');
    add_number(out, "signal", r->outcome == OUTCOME_SIGNAL, (uint64_t)r->signal);
    buf_addf(out, ",\"core_dumped\":%s,\"started\":%s,", r->core_dumped ? "true" : "false",
             r->started ? "true" : "false");
    add_error(out, r);
    buf_addc(out, ',');
    add_verdict(out, r);
    buf_addc(out, ',');
    add_string(out, "id", r->id);
    buf_addc(out, ',');
    add_string(out, "kept", r->kept);
    buf_addc(out, ',');
    add_number(out, "wall_us", r->started, r->wall_us);
    buf_addc(out, ',');
    add_number(out, "launch_us", r->started, r->launch_us);
    add_usage(out, r);
    add_cgroup_usage(out, &r->usage);
    buf_adds(out, "}\n");
}
