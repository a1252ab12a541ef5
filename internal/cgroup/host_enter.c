// SPDX-License-Identifier: Apache-2.0
// Getting a place ready. The kernel's rule: a cgroup that hands controllers on to its children has
// no processes of its own (cgroup-v2.rst, "No Internal Process Constraint").
#include "internal/base/buf.h"
#include "internal/base/cleanup.h"
#include "internal/base/fd.h"
#include "internal/cgroup/host_place.h"
#include "internal/cgroup/host_scope.h"
#include "internal/job/limits.h"
#include "internal/job/stage.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAX   (1 << 20)
#define MOUNTS_MAX ((size_t)16 << 20)
#define PASSES     20 // over processes that fork while they are moved

static int enter_scope(struct place *p, const struct place_request *rq, const char *id,
                       const char *description, struct err *err)
{
    AUTO_BUF struct buf own = {0};
    AUTO_BUF struct buf mounts = {0};
    AUTO_BUF struct buf granted = {0};
    int r = host_scope_enter(rq, id, description, err);
    if (r < 0)
        return r;
    (void)fd_read_file(AT_FDCWD, "/proc/self/mountinfo", MOUNTS_MAX, &mounts);
    (void)fd_read_file(AT_FDCWD, "/proc/self/cgroup", FILE_MAX, &own);
    cgroup_view_done(&p->view);
    cgroup_view_parse(buf_str(&mounts), buf_str(&own), &p->view);
    AUTO_FREE char *name = str_fmt("/bryo-%s.scope", id);
    size_t n = p->view.dir ? strlen(p->view.dir) : 0;
    if (!p->view.dir || n < strlen(name) || strcmp(p->view.dir + n - strlen(name), name) != 0)
        return err_set(err, EIO, "the user's systemd made a scope, but the launcher is in %s",
                       p->view.path ? p->view.path : "none that it can see");
    p->path = str_dup(p->view.dir);
    p->fd = open(p->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (p->fd < 0)
        return err_sys(err, errno, "cannot open the scope %s", p->path);
    if (fd_read_file(p->fd, "cgroup.controllers", FILE_MAX, &granted) == 0)
        p->controllers = limits_parse_controllers(buf_str(&granted));
    return 0;
}

// Moves what is in the place into the leaf. Returns how many were there, those included that could
// not be moved.
static int move_all(int place, int leaf)
{
    AUTO_BUF struct buf pids = {0};
    int r = fd_read_file(place, "cgroup.procs", FILE_MAX, &pids);
    int n = 0;
    for (char *at = pids.data; r == 0 && at && *at;) {
        size_t len = strcspn(at, "\n");
        // One that ended in between (ESRCH) is no matter; "0" is one of another PID namespace.
        (void)fd_write_file(leaf, "cgroup.procs", at, len);
        n++;
        at += len + (at[len] == '\n');
    }
    return r < 0 ? r : n;
}

static int clear(const struct place *p, struct err *err)
{
    if (mkdirat(p->fd, LAUNCHER_LEAF, 0755) < 0 && errno != EEXIST)
        return err_sys(err, errno, "cannot make the cgroup %s/" LAUNCHER_LEAF, p->path);
    AUTO_FD int leaf = openat(p->fd, LAUNCHER_LEAF, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (leaf < 0)
        return err_sys(err, errno, "cannot open the cgroup %s/" LAUNCHER_LEAF, p->path);
    for (int i = 0; i < PASSES; i++) {
        int n = move_all(p->fd, leaf);
        if (n <= 0)
            return n < 0 ? err_sys(err, -n, "cannot read %s/cgroup.procs", p->path) : 0;
    }
    (void)err_set(
        err, EBUSY,
        "the cgroup %s cannot hand controllers on: processes are in it that this user may "
        "not move away",
        p->path);
    return err_hint(err, "name an empty one with --cgroup-parent");
}

static int enable(const struct place *p, unsigned mask)
{
    AUTO_BUF struct buf words = {0};
    limits_format_controllers(mask, "+", &words);
    return fd_write_file(p->fd, "cgroup.subtree_control", buf_str(&words), words.len);
}

// All at once, or those that must be, and of the others whatever works.
static int enable_all(const struct place *p, unsigned missing, unsigned needs, struct err *err)
{
    int r = enable(p, missing);
    if (r == 0 || r == -EBUSY)
        return r;
    for (unsigned bit = 1; bit < CONTROLLERS_ALL; bit <<= 1) {
        r = missing & bit ? enable(p, bit) : 0;
        if (r < 0 && (needs & bit))
            return err_sys(err, -r, "cannot enable the controller %s in %s",
                           limits_controller_name(bit), p->path);
    }
    return 0;
}

int host_place_enter(struct place *p, const struct place_request *rq, const char *id,
                     const char *description, struct err *err)
{
    if (p->source == PLACE_SCOPE && enter_scope(p, rq, id, description, err) < 0)
        return err_stage(err, STAGE_CGROUP);
    AUTO_BUF struct buf text = {0};
    int r = fd_read_file(p->fd, "cgroup.subtree_control", FILE_MAX, &text);
    if (r < 0) {
        (void)err_sys(err, -r, "cannot read %s/cgroup.subtree_control", p->path);
        return err_stage(err, STAGE_CGROUP);
    }
    unsigned missing = p->controllers & ~limits_parse_controllers(buf_str(&text));
    // In a shell's own cgroup others are left where they are, unless a limit needs it: then what is
    // not enabled already is not to be had.
    bool may_move = rq->needs || p->ns_root || p->source != PLACE_CURRENT;
    r = missing ? enable_all(p, missing, rq->needs, err) : 0;
    if (r == -EBUSY && may_move) {
        r = clear(p, err);
        if (r == 0)
            r = enable_all(p, missing, rq->needs, err);
    }
    if (r == -EBUSY && !err->num)
        r = rq->needs & missing ? err_sys(err, EBUSY, "cannot enable controllers in %s", p->path)
                                : 0;
    return r < 0 ? err_stage(err, STAGE_CGROUP) : 0;
}
