// SPDX-License-Identifier: Apache-2.0
#include "internal/run/job_workspace.h"

#include "internal/base/err.h"
#include "internal/base/log.h"
#include "internal/roots/host_handback.h"

#include <inttypes.h>

void job_workspace_begin(struct job_workspace *w)
{
    // the clock by which the kernel stamps files
    (void)clock_gettime(CLOCK_REALTIME_COARSE, &w->since);
}

void job_workspace_end(const struct job_workspace *w)
{
    struct handback h = {.dir = w->dir, .store = w->store, .maps = w->maps, .since = w->since};
    struct handback_result done = {0};
    struct err err = {0};
    if (!w->dir || w->since.tv_sec == 0)
        return;
    int r = host_handback(&h, &done, &err);
    if (r < 0 || done.left)
        log_warn(
            "files that the job left in %s still belong to subordinate ids%s%s; try: bryo clean %s",
            w->dir, r < 0 ? ": " : "", r < 0 ? err.text : "", w->dir);
    else if (done.n)
        log_verbose("%" PRIu64 " files in %s were given back to you", done.n, w->dir);
}
