// SPDX-License-Identifier: Apache-2.0
#include "internal/run/job_record.h"

#include "internal/base/buf.h"
#include "internal/base/cleanup.h"
#include "internal/base/parse.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define HEAD "bryo-job 1\n"

void job_record_done(struct job_record *r)
{
    free(r->cgroup);
    free(r->command);
    *r = (struct job_record){0};
}

void job_record_format(const struct job_record *r, struct buf *out)
{
    buf_adds(out, HEAD);
    buf_addf(out, "id %s\nlauncher %d\ninit %d\nstarted %" PRIu64 "\ncgroup %s\ncommand %s\n",
             r->id, (int)r->launcher, (int)r->init, r->started_s, r->cgroup, r->command);
}

// "KEY VALUE\n" at *at, which moves behind it. NULL for another key.
static char *take(const char **at, const char *key)
{
    size_t n = strlen(key);
    size_t line = strcspn(*at, "\n");
    if (strncmp(*at, key, n) != 0 || (*at)[n] != ' ' || (*at)[line] != '\n')
        return NULL;
    char *value = str_dupn(*at + n + 1, line - n - 1);
    *at += line + 1;
    return value;
}

static int take_number(const char **at, const char *key, uint64_t max, uint64_t *ret)
{
    AUTO_FREE char *text = take(at, key);
    return text ? parse_u64(text, 0, max, ret) : -EINVAL;
}

int job_record_parse(const char *text, struct job_record *ret)
{
    AUTO_JOB_RECORD struct job_record r = {0};
    uint64_t launcher = 0;
    uint64_t init = 0;
    if (strncmp(text, HEAD, sizeof(HEAD) - 1) != 0)
        return -EINVAL;
    text += sizeof(HEAD) - 1;
    AUTO_FREE char *id = take(&text, "id");
    if (!id || strlen(id) >= sizeof(r.id) ||
        take_number(&text, "launcher", INT32_MAX, &launcher) < 0 ||
        take_number(&text, "init", INT32_MAX, &init) < 0 ||
        take_number(&text, "started", UINT64_MAX, &r.started_s) < 0 ||
        !(r.cgroup = take(&text, "cgroup")) || !(r.command = take(&text, "command")) || *text)
        return -EINVAL;
    memcpy(r.id, id, strlen(id) + 1);
    r.launcher = (pid_t)launcher;
    r.init = (pid_t)init;
    *ret = r;
    r = (struct job_record){0};
    return 0;
}
