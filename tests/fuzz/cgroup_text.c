// SPDX-License-Identifier: Apache-2.0
// Text of the kernel's and of files that may have been tampered with: mountinfo and cgroup, files
// of a cgroup, its log, samples and records. The first byte says which.
#include "internal/base/buf.h"
#include "internal/base/cleanup.h"
#include "internal/cgroup/view.h"
#include "internal/job/idmap.h"
#include "internal/job/plot.h"
#include "internal/job/record.h"
#include "internal/job/stats.h"
#include "internal/job/usage.h"
#include "internal/run/host_kmsg.h"
#include "internal/run/verdict.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static void take_record(const char *text, struct evidence *e)
{
    struct id_extent all = {.inside = 0, .outside = 0, .count = 100000};
    const struct idmap uids = {.ext = &all, .n = 1};
    const struct kmsg_job job = {.leaf = "bryo-0123456789ab", .uids = &uids};
    host_kmsg_take(text, &job, e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void view(const char *text)
{
    struct cgroup_view v;
    const char *half = strstr(text, "\n\n");
    cgroup_view_parse(text, half ? half + 2 : "", &v);
    require(!v.dir || (v.mount && v.path));
    cgroup_view_done(&v);
}

static void usage(const char *text)
{
    struct usage u;
    usage_init(&u);
    for (const char *const *file = usage_files; *file; file++)
        usage_parse(&u, *file, text);
}

static void samples(const char *text)
{
    AUTO_BUF struct buf svg = {0};
    struct stats_row *rows = NULL;
    size_t n = 0;
    size_t line = 0;
    if (stats_csv_parse(text, &rows, &n, &line) < 0)
        return;
    if (n >= 2 && n < 1000 && plot_svg(rows, n, "", &svg) == 0)
        require(strncmp(buf_str(&svg), "<svg ", 5) == 0 && !strstr(buf_str(&svg), "nan"));
    free(rows);
}

static void record(const char *text)
{
    AUTO_JOB_RECORD struct job_record r = {0};
    AUTO_BUF struct buf again = {0};
    if (job_record_parse(text, &r) < 0)
        return;
    job_record_format(&r, &again);
    AUTO_JOB_RECORD struct job_record same = {0};
    require(job_record_parse(buf_str(&again), &same) == 0 && same.init == r.init);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    AUTO_FREE char *text = str_dupn((const char *)data + 1, size - 1);
    struct evidence e = {.syscall = -1};
    switch (data[0]) {
    case 'v':
        view(text);
        break;
    case 'u':
        usage(text);
        break;
    case 's':
        samples(text);
        break;
    case 'k':
        take_record(text, &e);
        break;
    default:
        record(text);
        break;
    }
    return 0;
}
