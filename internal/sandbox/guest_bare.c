// SPDX-License-Identifier: Apache-2.0
#include "internal/sandbox/guest_bare.h"

#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/job/idmap.h"
#include "internal/sandbox/guest_mnt.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_out_of_reach(int usr, const char *name)
{
    struct stat st;
    return fstatat(usr, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode) &&
           st.st_uid == IDMAP_OVERFLOW_ID && (st.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

static int show(int machine_usr, int job_usr, const char *name)
{
    AUTO_FD int tree = guest_mnt_clone(machine_usr, name, true);
    int r = tree < 0 ? tree : guest_mnt_set_readonly(tree, true);
    if (r == -ENOSYS)
        return 0;
    return r < 0 ? r : guest_mnt_attach_at(tree, job_usr, name);
}

int guest_bare_show(int machine_usr, int job_usr, struct err *err)
{
    static const char *const names[] = {"bin", "include", "lib", "lib64", "libexec"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        int r = is_out_of_reach(machine_usr, names[i]) ? show(machine_usr, job_usr, names[i]) : 0;
        if (r < 0)
            return err_sys(err, -r, "cannot mount the machine's /usr/%s into the root", names[i]);
    }
    return 0;
}
