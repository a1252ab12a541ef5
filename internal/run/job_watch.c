// SPDX-License-Identifier: Apache-2.0
#include "internal/run/job_watch.h"

int job_watch_look(struct job_watch *w, const struct job_spec *spec, struct err *err)
{
    return stats_log_open(&w->stats_log, spec, err);
}

void job_watch_parts(struct job_watch *w, const struct leaf *leaf, struct supervise_part *parts)
{
    parts[0] = observer_part(&w->observer, leaf);
    parts[1] = stats_log_part(&w->stats_log, leaf);
}

void job_watch_conclude(struct job_watch *w, const struct job_spec *spec, const struct idmap *uids,
                        const char *scratch, struct job_result *result)
{
    observer_conclude(&w->observer, spec, uids, scratch, result);
}

void job_watch_done(struct job_watch *w)
{
    observer_done(&w->observer);
    stats_log_done(&w->stats_log);
    *w = JOB_WATCH_NONE;
}
