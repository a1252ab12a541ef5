// SPDX-License-Identifier: Apache-2.0
#include "internal/run/keep.h"

#include "internal/base/err.h"
#include "internal/base/log.h"
#include "internal/job/idmap.h"
#include "internal/job/result.h"
#include "internal/job/spec.h"
#include "internal/roots/layers.h"
#include "internal/roots/rootfs.h"
#include "internal/roots/scratch.h"
#include "internal/roots/scratch_record.h"

#include <string.h>

bool keep_possible(const struct job_spec *spec)
{
    return spec->keep != KEEP_NEVER || (spec->reuse && !spec->remove);
}

bool keep_wanted(const struct job_spec *spec, const struct job_result *result)
{
    bool good = result->outcome == OUTCOME_EXITED && result->status == 0;
    if (spec->reuse && !spec->remove)
        return true;
    return result->started &&
           (spec->keep == KEEP_ALWAYS || (spec->keep == KEEP_ON_FAILURE && !good));
}

bool keep_scratch(const struct keep *k, struct scratch *scratch, struct job_result *result)
{
    struct err err = {0};
    if (!k->init_layer) { // a kept one whose root could not be opened: it stays as it is
        scratch_close(scratch);
        return true;
    }
    struct scratch_record record = {.rootfs = k->root->source,
                                    .lower = k->root->is_host ? (char *)"" : k->root->lower,
                                    .init_layer = k->init_layer,
                                    .layer_sources = k->layers->sources,
                                    .layer_paths = k->layers->paths,
                                    .maps = *k->maps};
    idmaps_key(k->maps, record.map_key);
    if (scratch->on_tmpfs) {
        log_warn(
            "the job's scratch was in memory, since the upper layer of an overlay cannot lie where "
            "the cache is: nothing is kept");
        return false;
    }
    if (scratch_keep(scratch, &record, &err) < 0) {
        log_err(&err);
        return false;
    }
    (void)strncpy(result->kept, scratch->path, sizeof(result->kept) - 1);
    if (!k->spec->reuse)
        log_note("kept as %s in %s/upper; enter it with: bryo run --reuse %s -- sh; remove it "
                 "with: bryo run --rm --reuse %s -- true",
                 scratch->id, scratch->path, scratch->id, scratch->id);
    scratch_close(scratch);
    return true;
}
