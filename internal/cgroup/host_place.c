// SPDX-License-Identifier: Apache-2.0
#include "internal/cgroup/host_place.h"

#include "internal/base/buf.h"
#include "internal/base/cleanup.h"
#include "internal/base/fd.h"
#include "internal/base/fspath.h"
#include "internal/cgroup/host_refuse.h"
#include "internal/cgroup/host_scope.h"
#include "internal/job/limits.h"
#include "internal/job/stage.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#define FILE_MAX   (1 << 20)
#define MOUNTS_MAX ((size_t)16 << 20)

void host_place_done(struct place *p)
{
    cgroup_view_done(&p->view);
    free(p->path);
    fd_closep(&p->fd);
    *p = PLACE_INIT;
}

// The whole hierarchy at one of its two usual places, which is seen without /proc/self/mountinfo:
// to write that takes the kernel longer than all else that is looked at for a job without limits.
// 1 is the inode of its root; where only a part is mounted, or in a cgroup namespace, it is
// another.
static const char *usual_mount(void)
{
    static const char *const places[] = {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"};
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        struct statfs fs;
        struct stat st;
        if (statfs(places[i], &fs) == 0 && fs.f_type == CGROUP2_SUPER_MAGIC &&
            stat(places[i], &st) == 0 && st.st_ino == 1)
            return places[i];
    }
    return NULL;
}

// What is on version 1 is only asked for when a limit is to be explained.
static void read_view(bool all, struct cgroup_view *ret)
{
    AUTO_BUF struct buf mounts = {0};
    AUTO_BUF struct buf own = {0};
    const char *usual = all ? NULL : usual_mount();
    if (usual)
        buf_addf(&mounts, "1 1 0:1 / %s rw - cgroup2 cgroup2 rw\n", usual);
    else
        (void)fd_read_file(AT_FDCWD, "/proc/self/mountinfo", MOUNTS_MAX, &mounts);
    (void)fd_read_file(AT_FDCWD, "/proc/self/cgroup", FILE_MAX, &own);
    cgroup_view_parse(buf_str(&mounts), buf_str(&own), ret);
}

static unsigned read_controllers(int dir, const char *file)
{
    AUTO_BUF struct buf text = {0};
    return fd_read_file(dir, file, FILE_MAX, &text) < 0 ? 0
                                                        : limits_parse_controllers(buf_str(&text));
}

static bool writable(int dir, const char *file)
{
    return faccessat(dir, file, W_OK, AT_EACCESS) == 0;
}

// Takes path as the place.
static int open_place(struct place *p, const char *path)
{
    p->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (p->fd < 0)
        return -errno;
    p->path = str_dup(path);
    p->controllers = read_controllers(p->fd, "cgroup.controllers");
    return 0;
}

// --- the first source: what the user names ------------------------------------------------------

// The kernel lets a process be moved, or born, from one cgroup into another only by who may write
// to cgroup.procs of what both lie below.
static int check_way(const struct place *p, const struct place_request *rq, const char *path,
                     struct err *err)
{
    if (!p->view.dir)
        return 0;
    unsigned long n = cgroup_common(path, p->view.dir);
    AUTO_FREE char *procs = str_fmt("%.*s/cgroup.procs", (int)n, path);
    if (faccessat(AT_FDCWD, procs, W_OK, AT_EACCESS) == 0)
        return 0;
    (void)err_set(
        err, EACCES,
        "%s %s: no process can be put there from the launcher's own cgroup %s, since this "
        "user may not write to %s",
        rq->origin, rq->parent, p->view.path, procs);
    return err_hint(err, "start bryo from within: as root: echo SHELL_PID > %s/cgroup.procs", path);
}

static int check_given(int fd, const struct place_request *rq, const char *path, struct err *err)
{
    static const char *const files[] = {".", "cgroup.procs", "cgroup.subtree_control"};
    struct statfs fs;
    if (fstatfs(fd, &fs) < 0)
        return err_sys(err, errno, "%s %s", rq->origin, path);
    if (fs.f_type == CGROUP_SUPER_MAGIC)
        return err_set(err, EINVAL, "%s %s is a cgroup of version 1: it cannot be delegated",
                       rq->origin, path);
    if (fs.f_type != CGROUP2_SUPER_MAGIC)
        return err_set(err, EINVAL, "%s %s is no cgroup", rq->origin, path);
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        if (writable(fd, files[i]))
            continue;
        (void)err_set(err, EACCES, "%s %s is not delegated to this user: %s is not writable",
                      rq->origin, path, i == 0 ? "the directory" : files[i]);
        return err_hint(err,
                        "as root: chown %u %s %s/cgroup.procs %s/cgroup.threads "
                        "%s/cgroup.subtree_control",
                        geteuid(), path, path, path, path);
    }
    return 0;
}

static int find_given(struct place *p, const struct place_request *rq, struct err *err)
{
    if (rq->parent[0] != '/')
        return err_set(err, EINVAL, "%s: \"%s\" is not an absolute path", rq->origin, rq->parent);
    // As docker takes it, the path may also be that of the cgroup.
    AUTO_FREE char *path = fspath_clean("/", rq->parent);
    AUTO_FREE char *below = p->view.mount ? str_fmt("%s%s", p->view.mount, path) : NULL;
    bool use_below = below && access(path, F_OK) < 0 && access(below, F_OK) == 0;
    if (use_below) {
        free(path);
        path = TAKE_PTR(below);
    }
    int r = open_place(p, path);
    if (r < 0) {
        (void)err_sys(err, -r, "%s %s", rq->origin, rq->parent);
        return p->view.kind == CGROUP_V2 ? r : err_hint(err, "%s", cgroup_kind_words(p->view.kind));
    }
    r = check_given(p->fd, rq, path, err);
    if (r == 0)
        r = check_way(p, rq, path, err);
    if (r < 0)
        return r;
    p->source = PLACE_GIVEN;
    return 0;
}

// --- the second: where the launcher is ----------------------------------------------------------

// systemd marks what it delegates (trusted.delegate can be read by root only).
static bool marked_delegated(int dir)
{
    char value[4];
    return fgetxattr(dir, "user.delegate", value, sizeof(value)) == 1 && value[0] == '1';
}

// The real root has neither of these files; a root with them is that of a cgroup namespace.
static bool is_namespace_root(const struct place *p, const char *path, int dir)
{
    return strcmp(path, p->view.mount) == 0 && faccessat(dir, "cgroup.events", F_OK, 0) == 0;
}

static bool usable_current(const struct place *p, const char *path, int dir)
{
    if (!writable(dir, ".") || !writable(dir, "cgroup.procs") ||
        !writable(dir, "cgroup.subtree_control"))
        return false;
    if (is_namespace_root(p, path, dir) || marked_delegated(dir))
        return true;
    // Writable is not delegated: all units of a user's systemd are writable to the user, and it is
    // systemd that arranges them. Nor is the root of a machine that systemd runs.
    return !cgroup_path_has_unit(path) && (access("/run/systemd/system", F_OK) < 0 ||
                                           faccessat(dir, "cgroup.events", F_OK, 0) == 0);
}

static bool find_current(struct place *p)
{
    if (!p->view.dir)
        return false;
    AUTO_FREE char *path = str_dup(p->view.dir);
    // Where an earlier bryo put whoever was in the place.
    char *slash = strrchr(path, '/');
    if (slash && strcmp(slash + 1, LAUNCHER_LEAF) == 0)
        *slash = '\0';
    AUTO_FD int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0 || !usable_current(p, path, dir))
        return false;
    p->source = PLACE_CURRENT;
    p->ns_root = is_namespace_root(p, path, dir);
    p->path = TAKE_PTR(path);
    p->fd = TAKE_FD(dir);
    p->controllers = read_controllers(p->fd, "cgroup.controllers");
    return true;
}

static void forget(struct place *p)
{
    free(p->path);
    p->path = NULL;
    fd_closep(&p->fd);
    p->source = PLACE_NONE;
    p->controllers = 0;
    p->ns_root = false;
}

// --- the third: a scope -------------------------------------------------------------------------

static bool find_scope(struct place *p, const struct place_request *rq, struct err *why)
{
    unsigned granted = 0;
    if (p->view.kind != CGROUP_V2 || host_scope_look(rq, &p->view, &granted, why) < 0)
        return false;
    p->source = PLACE_SCOPE;
    p->controllers = granted;
    return true;
}

// --------------------------------------------------------------------------------------------------

int host_place_find(const struct place_request *rq, struct place *ret, struct err *err)
{
    AUTO(host_place_done) struct place p = PLACE_INIT;
    struct err scope_why = {0};
    read_view(rq->wanted || rq->parent, &p.view);
    if (rq->parent && strcmp(rq->parent, "none") != 0 && strcmp(rq->parent, "scope") != 0) {
        int r = find_given(&p, rq, err);
        if (r < 0)
            return err_stage(err, STAGE_CGROUP);
    } else if (!rq->parent || strcmp(rq->parent, "scope") == 0) {
        bool current = !rq->parent && find_current(&p);
        if (!current || (rq->needs & ~p.controllers)) {
            struct place scope = {.fd = -1, .view = p.view};
            bool ask = (rq->wanted || rq->parent) && find_scope(&scope, rq, &scope_why);
            // Of two that lack something the nearer one is taken.
            if (ask && (!current || !(rq->needs & ~scope.controllers))) {
                forget(&p);
                p.source = scope.source;
                p.controllers = scope.controllers;
            }
        }
        if (rq->parent && p.source != PLACE_SCOPE) {
            *err = scope_why.num ? scope_why : *err;
            if (!scope_why.num)
                (void)err_set(err, ENOENT, "%s scope: %s", rq->origin,
                              cgroup_kind_words(p.view.kind));
            return err_stage(err, STAGE_CGROUP);
        }
    }
    if (rq->needs & ~rq->optional & ~p.controllers)
        host_refuse(&p, rq, &scope_why, &p.why);
    *ret = p;
    p = PLACE_INIT;
    return 0;
}
