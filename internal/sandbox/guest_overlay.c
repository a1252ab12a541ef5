// SPDX-License-Identifier: Apache-2.0
// Layers are named by descriptor: no name has to be quoted for the option parser, and /proc/mounts
// inside shows no path of the machine.
#include "internal/sandbox/guest_overlay.h"

#include "internal/base/buf.h"
#include "internal/base/cleanup.h"
#include "internal/base/sys.h"
#include "internal/sandbox/guest_mnt.h"

#include <errno.h>
#include <linux/mount.h>
#include <stdio.h>
#include <sys/stat.h>

#define BY_FD "/proc/self/fd/%d"

static void add_path(struct buf *out, const struct guest_overlay *o, const char *leaf)
{
    buf_addf(out, BY_FD "%s%s/%s", o->scratch, *o->dir ? "/" : "", o->dir, leaf);
}

static int set_string(int fs, const char *key, const char *value)
{
    return sys_fsconfig(fs, FSCONFIG_SET_STRING, key, value, 0);
}

static int add_lowers(int fs, const struct guest_overlay *o)
{
    for (size_t i = 0; i < o->n_lowers; i++) {
        char path[32];
        (void)snprintf(path, sizeof(path), BY_FD, o->lowers[i]);
        int r = set_string(fs, "lowerdir+", path);
        if (r < 0)
            return i == 0 && r == -EINVAL ? -E2BIG : r; // it does not know the key
    }
    return 0;
}

// Layer by layer, by the calls that know no bound but overlayfs's own (500).
static int mount_many(const struct guest_overlay *o, int target)
{
    AUTO_BUF struct buf upper = {0};
    AUTO_BUF struct buf work = {0};
    AUTO_FD int fs = sys_fsopen("overlay");
    int r = fs < 0 ? fs : add_lowers(fs, o);
    add_path(&upper, o, "upper");
    add_path(&work, o, "work");
    if (r == 0)
        r = set_string(fs, "upperdir", upper.data);
    if (r == 0)
        r = set_string(fs, "workdir", work.data);
    if (r == 0)
        r = sys_fsconfig(fs, FSCONFIG_SET_FLAG, "userxattr", NULL, 0);
    if (r == 0)
        r = sys_fsconfig(fs, FSCONFIG_SET_FLAG, "volatile", NULL, 0);
    if (r == 0)
        r = sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
    AUTO_FD int mnt = r < 0 ? r : sys_fsmount(fs, 0);
    return mnt < 0 ? mnt : guest_mnt_attach(mnt, target);
}

int guest_overlay_mount(const struct guest_overlay *o, int target)
{
    AUTO_BUF struct buf options = {0};
    buf_adds(&options, "userxattr,volatile,lowerdir=");
    for (size_t i = 0; i < o->n_lowers; i++)
        buf_addf(&options, "%s" BY_FD, i ? ":" : "", o->lowers[i]);
    buf_adds(&options, ",upperdir=");
    add_path(&options, o, "upper");
    buf_adds(&options, ",workdir=");
    add_path(&options, o, "work");
    // mount(2) copies one page of options.
    if (options.len + 1 > (size_t)sysconf(_SC_PAGESIZE))
        return mount_many(o, target);
    return guest_mnt_new(target, "overlay", 0, options.data);
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
