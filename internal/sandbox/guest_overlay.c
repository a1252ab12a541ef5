// SPDX-License-Identifier: Apache-2.0
#include "internal/sandbox/guest_overlay.h"

#include "internal/sandbox/guest_mnt.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

int guest_overlay_mount(const struct guest_overlay *o, int target)
{
    // Layers are named by descriptor: no name has to be quoted for the option parser, the page that
    // an option string may fill is never full, and /proc/mounts inside shows no path of the
    // machine.
    char above[40] = "";
    char options[256];
    const char *slash = *o->dir ? "/" : "";
    if (o->above >= 0)
        (void)snprintf(above, sizeof(above), "/proc/self/fd/%d:", o->above);
    int n = snprintf(options, sizeof(options),
                     "userxattr,volatile,lowerdir=%s/proc/self/fd/%d,"
                     "upperdir=/proc/self/fd/%d%s%s/upper,workdir=/proc/self/fd/%d%s%s/work",
                     above, o->lower, o->scratch, slash, o->dir, o->scratch, slash, o->dir);
    if (n < 0 || (size_t)n >= sizeof(options))
        return -ENAMETOOLONG;
    return guest_mnt_new(target, "overlay", 0, options);
}

int guest_overlay_make_dirs(int scratch, const char *dir)
{
    static const char *const below[] = {"", "/upper", "/work"};
    for (size_t i = 0; i < sizeof(below) / sizeof(below[0]); i++) {
        char path[96];
        (void)snprintf(path, sizeof(path), "%s%s", dir, below[i]);
        if (mkdirat(scratch, path, 0755) < 0 && errno != EEXIST)
            return -errno;
    }
    return 0;
}
