// SPDX-License-Identifier: Apache-2.0
#include "internal/job/record.h"

#include "internal/base/counted.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define HEAD "bryo-job 2\n"

void job_record_done(struct job_record *r)
{
    free(r->id);
    free(r->name);
    free(r->rootfs);
    free(r->workdir);
    free(r->cgroup);
    strv_done(&r->command);
    strv_done(&r->labels);
    strv_done(&r->ports);
    *r = (struct job_record){0};
}

void job_record_format(const struct job_record *r, struct buf *out)
{
    buf_adds(out, HEAD);
    counted_put(out, r->id);
    counted_put(out, r->name);
    counted_put(out, r->rootfs);
    counted_put(out, r->workdir);
    counted_put(out, r->cgroup);
    counted_put_list(out, &r->command);
    counted_put_list(out, &r->labels);
    counted_put_list(out, &r->ports);
    counted_put_number(out, r->started_s);
    counted_put_number(out, r->bryo);
    counted_put_number(out, r->init);
    counted_put_number(out,
                       (r->detached ? 1U : 0U) | (r->tty ? 2U : 0U) | (r->interactive ? 4U : 0U));
}

int job_record_parse(const char *text, struct job_record *ret)
{
    AUTO_JOB_RECORD struct job_record r = {0};
    uint64_t flags = 0;
    if (strncmp(text, HEAD, sizeof(HEAD) - 1) != 0)
        return -EINVAL;
    text += sizeof(HEAD) - 1;
    if (!(r.id = counted_get(&text)) || !(r.name = counted_get(&text)) ||
        !(r.rootfs = counted_get(&text)) || !(r.workdir = counted_get(&text)) ||
        !(r.cgroup = counted_get(&text)) || !counted_get_list(&text, 1U << 20, &r.command) ||
        !counted_get_list(&text, 1U << 20, &r.labels) ||
        !counted_get_list(&text, 1U << 20, &r.ports) ||
        !counted_get_number(&text, UINT64_MAX, &r.started_s) ||
        !counted_get_number(&text, INT_MAX, &r.bryo) ||
        !counted_get_number(&text, INT_MAX, &r.init) || !counted_get_number(&text, 7, &flags) ||
        *text)
        return -EINVAL;
    r.detached = flags & 1;
    r.tty = flags & 2;
    r.interactive = flags & 4;
    *ret = r;
    // NOLINTNEXTLINE(clang-analyzer-deadcode.DeadStores): the cleanup reads it
    r = (struct job_record){0};
    return 0;
}
