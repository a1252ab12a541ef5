// SPDX-License-Identifier: Apache-2.0
#include "internal/sandbox/guest_fence.h"

#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/base/landlock.h"

#include <errno.h>
#include <fcntl.h>

int guest_fence_close(struct err *err)
{
    AUTO_FD int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    const struct landlock_rule all = {
        .fd = root, .what = LANDLOCK_READ | LANDLOCK_WRITE | LANDLOCK_EXECUTE | LANDLOCK_DEVICES};
    const struct landlock_fence fence = {.rules = &all, .n_rules = 1};
    if (root < 0)
        return err_sys(err, errno, "cannot open the job's root");
    int r = landlock_close(&fence, err);
    if (r != 1)
        return r;
    (void)err_set(err, ENOSYS, "--landlock: this kernel has no Landlock that a job can live with");
    return err_hint(err, "it takes Linux 5.19, CONFIG_SECURITY_LANDLOCK, and \"landlock\" in the "
                         "boot parameter lsm= where there is one");
}
