// SPDX-License-Identifier: Apache-2.0
#include "internal/roots/host_tree.h"

#include "internal/base/err.h"
#include "internal/base/fspath.h"
#include "internal/job/idmap.h"
#include "internal/job/stage.h"
#include "internal/sandbox/userns.h"

#include <errno.h>

struct removal {
    int dirfd;
    const char *name;
};

static int remove_inside(void *ctx, struct err *err)
{
    const struct removal *rm = ctx;
    int r = fspath_remove_tree(rm->dirfd, rm->name);
    return r < 0 ? err_sys(err, -r, "cannot remove %s", rm->name) : 0;
}

int host_tree_remove(const struct idmaps *maps, int dirfd, const char *name, struct err *err)
{
    struct removal rm = {.dirfd = dirfd, .name = name};
    int r = fspath_remove_tree(dirfd, name);
    if ((r == -EACCES || r == -EPERM) && maps->kind != IDMAP_SINGLE) {
        struct userns_task task;
        int status = 0;
        r = userns_start(maps, 0, remove_inside, &rm, &task, err);
        if (r == 0)
            r = userns_finish(&task, &status, err);
        if (r == 0 && status != 0)
            r = err_set(err, EIO, "removing %s ended early", name);
    } else if (r < 0) {
        r = err_sys(err, -r, "cannot remove %s", name);
    }
    return r < 0 ? err_stage(err, STAGE_SCRATCH) : 0;
}
