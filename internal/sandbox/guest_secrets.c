// SPDX-License-Identifier: Apache-2.0
#include "internal/sandbox/guest_secrets.h"

#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/base/fd.h"
#include "internal/base/fspath.h"
#include "internal/base/sys.h"
#include "internal/job/secret.h"
#include "internal/job/stage.h"
#include "internal/sandbox/guest_mnt.h"
#include "internal/sandbox/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <string.h>
#include <sys/stat.h>

// A file system in memory, mounted nowhere.
static int new_tmpfs(void)
{
    AUTO_FD int fs = sys_fsopen("tmpfs");
    int r = fs < 0 ? fs : sys_fsconfig(fs, FSCONFIG_SET_STRING, "mode", "0500", 0);
    if (r >= 0)
        r = sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
    return r < 0 ? r : sys_fsmount(fs, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
}

static int write_one(int dir, const struct secret *s, const struct sandbox_config *c)
{
    int r = fd_create_file(dir, s->name, 0400, s->value, s->len);
    if (r == 0 && fchownat(dir, s->name, c->uid, c->gid, AT_SYMLINK_NOFOLLOW) < 0)
        r = -errno;
    return r;
}

int guest_secrets_mount(int rootfd, const struct sandbox_config *c, struct err *err)
{
    if (c->n_secrets == 0)
        return 0;
    AUTO_FD int tree = new_tmpfs();
    int r = tree < 0 ? tree : 0;
    for (size_t i = 0; i < c->n_secrets && r == 0; i++)
        r = write_one(tree, &c->secrets[i], c);
    if (r == 0 && fchownat(tree, "", c->uid, c->gid, AT_EMPTY_PATH) < 0)
        r = -errno;
    if (r == 0)
        r = guest_mnt_set_readonly(tree, false);
    AUTO_FD int target = r < 0 ? -1 : fspath_mkdirs(rootfd, "run/secrets");
    if (r == 0)
        r = target < 0 ? target : guest_mnt_attach(tree, target);
    if (r < 0) {
        (void)err_sys(err, -r, "cannot mount the secrets onto /run/secrets");
        return err_stage(err, STAGE_MOUNT);
    }
    return 0;
}

void guest_secrets_forget(const struct sandbox_config *c)
{
    for (size_t i = 0; i < c->n_secrets; i++) {
        const struct secret *s = &c->secrets[i];
        size_t n = strlen(s->name);
        for (char *const *e = c->envp; *e; e++)
            if (strncmp(*e, s->name, n) == 0 && (*e)[n] == '=')
                explicit_bzero(*e + n + 1, strlen(*e + n + 1));
        explicit_bzero(s->value, s->len);
    }
}
