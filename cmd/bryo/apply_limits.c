// SPDX-License-Identifier: Apache-2.0
// What the options about the job's cgroup do to the spec under construction.
#include "cmd/bryo/builder.h"

#include "internal/base/err.h"
#include "internal/base/parse.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct job_spec *spec_of(void *ctx)
{
    return &((struct builder *)ctx)->spec;
}

static struct limits *limits_of(void *ctx)
{
    return &spec_of(ctx)->limits;
}

int set_memory(void *ctx, const char *value, struct err *err)
{
    return limits_parse_memory(value, &limits_of(ctx)->memory, err);
}

int set_memory_swap(void *ctx, const char *value, struct err *err)
{
    return limits_parse_memory(value, &limits_of(ctx)->memory_swap, err);
}

int set_memory_high(void *ctx, const char *value, struct err *err)
{
    return limits_parse_memory(value, &limits_of(ctx)->memory_high, err);
}

int set_cpus(void *ctx, const char *value, struct err *err)
{
    return limits_parse_cpus(value, &limits_of(ctx)->cpu_quota_us, err);
}

int set_cpu_weight(void *ctx, const char *value, struct err *err)
{
    return limits_parse_weight(value, &limits_of(ctx)->cpu_weight, err);
}

int set_cpuset_cpus(void *ctx, const char *value, struct err *err)
{
    return limits_parse_list(value, &limits_of(ctx)->cpuset_cpus, err);
}

int set_cpuset_mems(void *ctx, const char *value, struct err *err)
{
    return limits_parse_list(value, &limits_of(ctx)->cpuset_mems, err);
}

int set_pids_limit(void *ctx, const char *value, struct err *err)
{
    return limits_parse_pids(value, &limits_of(ctx)->pids, err);
}

int set_io_max(void *ctx, const char *value, struct err *err)
{
    return limits_add_io_max(limits_of(ctx), value, err);
}

int set_io_weight(void *ctx, const char *value, struct err *err)
{
    return limits_parse_weight(value, &limits_of(ctx)->io_weight, err);
}

int set_hugetlb(void *ctx, const char *value, struct err *err)
{
    return limits_add_hugetlb(limits_of(ctx), value, err);
}

int set_cgroup_set(void *ctx, const char *value, struct err *err)
{
    return limits_add_set(limits_of(ctx), value, err);
}

int set_cgroup_parent(void *ctx, const char *value, struct err *err)
{
    if (value[0] != '/' && strcmp(value, "scope") != 0 && strcmp(value, "none") != 0)
        return err_set(err, EINVAL, "\"%s\" is neither an absolute path nor scope nor none", value);
    free(spec_of(ctx)->cgroup_parent);
    spec_of(ctx)->cgroup_parent = str_dup(value);
    return 0;
}

int set_best_effort(void *ctx, const char *value, struct err *err)
{
    (void)value, (void)err;
    spec_of(ctx)->best_effort = true;
    return 0;
}

int set_stats(void *ctx, const char *value, struct err *err)
{
    (void)value, (void)err;
    spec_of(ctx)->stats = true;
    return 0;
}

int set_stats_log(void *ctx, const char *value, struct err *err)
{
    if (!*value)
        return err_set(err, EINVAL, "expected a file, not an empty word");
    free(spec_of(ctx)->stats_file);
    spec_of(ctx)->stats_file = str_dup(value);
    return 0;
}

int set_stats_interval(void *ctx, const char *value, struct err *err)
{
    uint64_t us = 0;
    if (parse_duration(value, &us) < 0 || us < 10000 || us > UINT64_C(86400) * 1000000)
        return err_set(err, EINVAL, "\"%s\" is not a duration from 10ms to 1d", value);
    spec_of(ctx)->stats_interval_us = us;
    return 0;
}
