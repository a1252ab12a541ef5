// SPDX-License-Identifier: Apache-2.0
// What the machine can be asked before anything is created.
#include "cmd/bryo/builder.h"

#include "internal/base/cleanup.h"
#include "internal/base/err.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int look(const char *option, const char *path, struct stat *st, struct err *err)
{
    return stat(path, st) < 0 ? err_sys(err, errno, "%s: %s", option, path) : 0;
}

static int check_mount(const struct mount_req *m, struct err *err)
{
    struct stat st;
    if (m->kind == MOUNT_TMPFS)
        return 0;
    int r = look(m->kind == MOUNT_DEVICE ? "--device" : "--volume", m->source, &st, err);
    if (r < 0 || m->kind == MOUNT_BIND)
        return r;
    if (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode))
        return 0;
    err_set(err, ENODEV, "--device: %s is not a device", m->source);
    return err_hint(err, "-v %s:%s mounts what is no device", m->source, m->target);
}

static int check_rootfs(const char *path, struct err *err)
{
    struct stat st;
    if (!path || strcmp(path, "host") == 0)
        return 0;
    int r = look("--rootfs", path, &st, err);
    if (r < 0) {
        if (err->num == ENOENT && !strchr(path, '/'))
            err_hint(err, "bryo takes a tarball or a directory, not the name of an image");
        return r;
    }
    if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
        return err_set(err, EINVAL, "--rootfs: %s is neither a file nor a directory", path);
    if (access(path, R_OK) < 0)
        return err_sys(err, errno, "--rootfs: %s", path);
    return 0;
}

static int check_layer(const char *path, struct err *err)
{
    struct stat st;
    int r = look("--layer", path, &st, err);
    if (r == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
        r = err_set(err, EINVAL, "--layer: %s is neither a file nor a directory", path);
    if (r == 0 && access(path, R_OK) < 0)
        r = err_sys(err, errno, "--layer: %s", path);
    return r;
}

static int check_workspace(const struct job_spec *spec, struct err *err)
{
    struct stat st;
    if (spec->workspace != WORKSPACE_DIR)
        return 0;
    int r = look("--workspace", spec->workspace_dir, &st, err);
    if (r == 0 && !S_ISDIR(st.st_mode))
        r = err_sys(err, ENOTDIR, "--workspace: %s", spec->workspace_dir);
    return r;
}

int builder_check_host(const struct builder *b, struct err *err)
{
    int r = check_rootfs(b->spec.rootfs, err);
    for (size_t i = 0; i < b->spec.layers.n && r == 0; i++)
        r = check_layer(b->spec.layers.v[i], err);
    for (size_t i = 0; i < b->spec.n_mounts && r == 0; i++)
        r = check_mount(&b->spec.mounts[i], err);
    if (r == 0)
        r = check_workspace(&b->spec, err);
    return r;
}
