// SPDX-License-Identifier: Apache-2.0
#include "internal/job/stats.h"

#include "internal/base/buf.h"
#include "internal/base/bytesize.h"
#include "internal/base/parse.h"
#include "internal/job/result.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static void add_seconds(struct buf *out, uint64_t us)
{
    buf_addf(out, "%" PRIu64 ".%02" PRIu64 " s", us / 1000000, us / 10000 % 100);
}

static void add_time(struct buf *out, const char *what, uint64_t us)
{
    if (us == USAGE_UNKNOWN)
        return;
    buf_adds(out, ", ");
    add_seconds(out, us);
    buf_addf(out, " %s", what);
}

static void add_amount(struct buf *out, const char *what, uint64_t bytes)
{
    if (bytes == USAGE_UNKNOWN)
        return;
    buf_adds(out, ", ");
    bytesize_add(out, bytes);
    buf_addf(out, " %s", what);
}

static void add_io(struct buf *out, const char *what, uint64_t bytes, uint64_t ops)
{
    add_amount(out, what, bytes);
    if (bytes != USAGE_UNKNOWN && ops != USAGE_UNKNOWN)
        buf_addf(out, " (%" PRIu64 " operations)", ops);
}

static void add_stalls(struct buf *out, const struct usage *u)
{
    const struct {
        const char *what;
        uint64_t us;
    } stalls[] = {{"cpu", u->cpu_stall_us}, {"memory", u->memory_stall_us}, {"io", u->io_stall_us}};
    const char *lead = ", stalled for";
    for (size_t i = 0; i < 3; i++) {
        if (stalls[i].us == USAGE_UNKNOWN)
            continue;
        buf_addf(out, "%s %s ", lead, stalls[i].what);
        add_seconds(out, stalls[i].us);
        lead = ",";
    }
}

void stats_line(const struct job_result *r, struct buf *out)
{
    const struct usage *u = &r->usage;
    uint64_t faults = u->page_faults != USAGE_UNKNOWN ? u->page_faults
                      : r->has_usage                  ? r->minor_faults + r->major_faults
                                                      : USAGE_UNKNOWN;
    if (!r->started) {
        buf_addf(out, "stats: the command did not start; exit %d", result_exit_status(r));
        return;
    }
    buf_adds(out, "stats: ");
    add_seconds(out, r->wall_us);
    buf_adds(out, " wall");
    add_time(out, "user", r->has_usage ? r->user_us : USAGE_UNKNOWN);
    add_time(out, "system", r->has_usage ? r->system_us : USAGE_UNKNOWN);
    add_time(out, "throttled", u->throttled_us);
    if (u->memory_peak_bytes != USAGE_UNKNOWN)
        add_amount(out, "peak memory", u->memory_peak_bytes);
    else if (r->has_usage)
        add_amount(out, "in the largest process", r->max_rss_bytes);
    add_amount(out, "peak swap", u->swap_peak_bytes);
    if (faults != USAGE_UNKNOWN)
        buf_addf(out, ", %" PRIu64 " page faults", faults);
    if (u->processes_peak != USAGE_UNKNOWN)
        buf_addf(out, ", %" PRIu64 " processes at once", u->processes_peak);
    add_io(out, "read", u->read_bytes, u->read_ops);
    add_io(out, "written", u->write_bytes, u->write_ops);
    add_stalls(out, u);
    buf_addf(out, ", exit %d", result_exit_status(r));
}

// --- CSV ----------------------------------------------------------------------------------------

#define TIME_COLUMN "seconds"

void stats_csv_header(struct buf *out)
{
    buf_adds(out, TIME_COLUMN);
#define STATS_NAME(name, field) buf_addf(out, ",%s", name);
    STATS_COLUMNS(STATS_NAME)
#undef STATS_NAME
    buf_addc(out, '\n');
}

static void add_field(struct buf *out, uint64_t value)
{
    buf_addc(out, ',');
    if (value != USAGE_UNKNOWN)
        buf_addf(out, "%" PRIu64, value);
}

void stats_csv_row(uint64_t elapsed_us, const struct usage *u, struct buf *out)
{
    buf_addf(out, "%" PRIu64 ".%03" PRIu64, elapsed_us / 1000000, elapsed_us / 1000 % 1000);
#define STATS_FIELD(name, field) add_field(out, u->field);
    STATS_COLUMNS(STATS_FIELD)
#undef STATS_FIELD
    buf_addc(out, '\n');
}

// "12.345"
static bool take_seconds(const char **at, uint64_t *ret_us)
{
    uint64_t s = 0;
    uint64_t ms = 0;
    size_t n = strspn(*at, "0123456789");
    if (parse_u64n(*at, n, 0, UINT32_MAX, &s) < 0 || (*at)[n] != '.')
        return false;
    *at += n + 1;
    n = strspn(*at, "0123456789");
    if (n != 3 || parse_u64n(*at, n, 0, 999, &ms) < 0)
        return false;
    *at += n;
    *ret_us = s * 1000000 + ms * 1000;
    return true;
}

// ",123" or ","
static bool take_field(const char **at, uint64_t *ret)
{
    if (**at != ',')
        return false;
    size_t n = strspn(++*at, "0123456789");
    *ret = USAGE_UNKNOWN;
    if (n && parse_u64n(*at, n, 0, UINT64_MAX - 1, ret) < 0)
        return false;
    *at += n;
    return true;
}

static bool take_row(const char **at, struct stats_row *row)
{
    usage_init(&row->usage);
    if (!take_seconds(at, &row->elapsed_us))
        return false;
#define STATS_TAKE(name, field)             \
    if (!take_field(at, &row->usage.field)) \
        return false;
    STATS_COLUMNS(STATS_TAKE)
#undef STATS_TAKE
    return *(*at)++ == '\n';
}

int stats_csv_parse(const char *text, struct stats_row **ret, size_t *ret_n, size_t *ret_line)
{
    AUTO_BUF struct buf header = {0};
    struct stats_row *rows = NULL;
    size_t n = 0;
    stats_csv_header(&header);
    *ret_line = 1;
    if (strncmp(text, buf_str(&header), header.len) != 0)
        return -EINVAL;
    for (const char *at = text + header.len; *at; n++) {
        ++*ret_line;
        // A file that is being written, or whose bryo was killed, may end in the midst of a row.
        if (!strchr(at, '\n'))
            break;
        rows = mem_grow(rows, n + 1, sizeof(*rows));
        if (!take_row(&at, &rows[n])) {
            free(rows);
            return -EINVAL;
        }
    }
    *ret = rows;
    *ret_n = n;
    return 0;
}
