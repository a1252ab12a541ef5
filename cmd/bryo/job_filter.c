// SPDX-License-Identifier: Apache-2.0
#include "cmd/bryo/job_filter.h"

#include "internal/base/err.h"
#include "internal/base/parse.h"
#include "internal/jobs/jobs.h"

#include <errno.h>
#include <string.h>

static bool has_id(const struct job_info *job, const char *value)
{
    return strncmp(job->record.id, value, strlen(value)) == 0;
}

static bool has_name(const struct job_info *job, const char *value)
{
    return strstr(job->record.name, value) != NULL;
}

static bool has_state(const struct job_info *job, const char *value)
{
    return strcmp(job_state_name(job->state), value) == 0;
}

static bool has_status(const struct job_info *job, const char *value)
{
    uint64_t status = 0;
    return job->state == JOB_EXITED && parse_u64(value, 0, 255, &status) == 0 &&
           (int)status == job->exit_status;
}

// NAME, or NAME=VALUE
static bool has_label(const struct job_info *job, const char *value)
{
    const struct strv *labels = &job->record.labels;
    bool whole = strchr(value, '=') != NULL;
    size_t n = strlen(value);
    for (size_t i = 0; i < labels->n; i++)
        if (whole ? strcmp(labels->v[i], value) == 0
                  : strncmp(labels->v[i], value, n) == 0 && labels->v[i][n] == '=')
            return true;
    return false;
}

static const struct {
    const char *key;
    bool (*fits)(const struct job_info *job, const char *value);
} keys[] = {
    {"id=", has_id},         {"name=", has_name},   {"status=", has_state},
    {"exited=", has_status}, {"label=", has_label},
};

enum { KEYS = sizeof(keys) / sizeof(keys[0]) };

static size_t key_of(const char *filter)
{
    size_t i = 0;
    while (i < KEYS && strncmp(filter, keys[i].key, strlen(keys[i].key)) != 0)
        i++;
    return i;
}

int job_filter_check(const char *filter, struct err *err)
{
    size_t key = key_of(filter);
    uint64_t status = 0;
    if (key == KEYS)
        return err_set(err, EINVAL,
                       "\"%s\" is not one of id=, name=, status=, exited= or label=", filter);
    const char *value = filter + strlen(keys[key].key);
    if (keys[key].fits == has_status && parse_u64(value, 0, 255, &status) < 0)
        return err_set(err, EINVAL, "\"%s\" is no exit status, 0 to 255", value);
    for (int s = JOB_RUNNING; keys[key].fits == has_state && s <= JOB_DEAD; s++) {
        if (strcmp(value, job_state_name((enum job_state)s)) == 0)
            return 0;
        if (s == JOB_DEAD)
            return err_set(err, EINVAL, "\"%s\" is not one of running, paused, exited or dead",
                           value);
    }
    return 0;
}

bool job_filter_by_state(const struct strv *filters)
{
    for (size_t i = 0; i < filters->n; i++) {
        size_t key = key_of(filters->v[i]);
        if (key < KEYS && (keys[key].fits == has_state || keys[key].fits == has_status))
            return true;
    }
    return false;
}

bool job_filter_passes(const struct strv *filters, const struct job_info *job)
{
    bool wanted[KEYS] = {false};
    bool fits[KEYS] = {false};
    for (size_t i = 0; i < filters->n; i++) {
        size_t key = key_of(filters->v[i]);
        if (key == KEYS)
            continue;
        wanted[key] = true;
        fits[key] |= keys[key].fits(job, filters->v[i] + strlen(keys[key].key));
    }
    for (size_t key = 0; key < KEYS; key++)
        if (wanted[key] && !fits[key])
            return false;
    return true;
}
