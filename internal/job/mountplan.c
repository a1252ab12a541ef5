// SPDX-License-Identifier: Apache-2.0
#include "internal/job/mountplan.h"

#include "internal/base/fspath.h"

#include <string.h>

static void insert(struct mount_req *plan, size_t *n, const struct mount_req *m)
{
    for (size_t i = 0; i < *n; i++) {
        if (strcmp(plan[i].target, m->target) == 0) {
            plan[i] = *m;
            return;
        }
    }
    unsigned depth = fspath_depth(m->target);
    size_t at = *n;
    while (at > 0 && fspath_depth(plan[at - 1].target) > depth)
        at--;
    memmove(plan + at + 1, plan + at, (*n - at) * sizeof(*plan));
    plan[at] = *m;
    (*n)++;
}

struct mount_req *mountplan_build(const struct job_spec *spec, char *workspace, size_t *ret_n)
{
    struct mount_req *plan = mem_grow(NULL, spec->n_mounts + 1, sizeof(*plan));
    size_t n = 0;
    if (workspace) {
        struct mount_req m = {.kind = MOUNT_BIND, .source = workspace, .target = workspace};
        insert(plan, &n, &m);
    }
    for (size_t i = 0; i < spec->n_mounts; i++)
        insert(plan, &n, &spec->mounts[i]);
    *ret_n = n;
    return plan;
}
