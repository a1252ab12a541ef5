// SPDX-License-Identifier: Apache-2.0
#include "internal/sandbox/guest_pivot.h"

#include "internal/base/err.h"
#include "internal/base/sys.h"
#include "internal/job/stage.h"

#include <errno.h>
#include <sys/mount.h>
#include <unistd.h>

// The old root lands on top of the new one at the same place, and "." still means it: detached
// before any path of the image is looked at, with no directory of the image needed for it
// (pivot_root(2), "pivot_root(".", ".")").
static int swap_roots(void)
{
    int r = sys_pivot_root(".", ".");
    if (r < 0)
        return r;
    return umount2(".", MNT_DETACH) < 0 ? -errno : 0;
}

// What switch_root(8) does on an initramfs, which cannot be pivoted away from.
static int move_root(void)
{
    if (mount(".", "/", NULL, MS_MOVE, NULL) < 0 || chroot(".") < 0)
        return -errno;
    return 0;
}

int guest_pivot(int rootfd, const char **ret_notice, struct err *err)
{
    int r = fchdir(rootfd) < 0 ? -errno : swap_roots();
    if (r == -EINVAL) {
        r = move_root();
        if (r == 0)
            *ret_notice =
                "pivot_root is not possible on this machine's root (an initramfs); the job's "
                "root is mounted over it instead";
    }
    if (r == 0 && chdir("/") < 0)
        r = -errno;
    if (r < 0) {
        (void)err_sys(err, -r, "cannot make the job's root its root directory");
        return err_stage(err, STAGE_PIVOT);
    }
    return 0;
}
