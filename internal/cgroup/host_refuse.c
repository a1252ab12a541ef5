// SPDX-License-Identifier: Apache-2.0
#include "internal/cgroup/host_refuse.h"

#include "internal/base/account.h"
#include "internal/base/buf.h"
#include "internal/base/cleanup.h"
#include "internal/cgroup/host_place.h"
#include "internal/job/limits.h"
#include "internal/job/stage.h"

#include <errno.h>
#include <unistd.h>

static void refuse_old(const struct cgroup_view *v, unsigned missing, struct err *ret)
{
    AUTO_BUF struct buf names = {0};
    limits_format_controllers(missing, "", &names);
    if (v->kind == CGROUP_NO)
        (void)err_set(ret, ENOENT, "%s: there is no controller %s", cgroup_kind_words(v->kind),
                      buf_str(&names));
    else if (v->v1 & missing)
        (void)err_set(ret, EOPNOTSUPP,
                      "%s: the controller %s is on version 1, which cannot be delegated to a user",
                      cgroup_kind_words(v->kind), buf_str(&names));
    else
        (void)err_set(ret, EOPNOTSUPP, "%s: there is no controller %s on version 2",
                      cgroup_kind_words(v->kind), buf_str(&names));
    if (v->kind == CGROUP_NO)
        (void)err_hint(ret, "as root: mount -t cgroup2 cgroup2 /sys/fs/cgroup");
    else
        (void)err_hint(ret,
                       "boot with systemd.unified_cgroup_hierarchy=1 cgroup_no_v1=all on the "
                       "kernel's command line, or give --best-effort to run without the limit");
}

// There is a place, and it lacks something.
static void refuse_lacking(const struct place *p, unsigned missing, struct err *ret)
{
    AUTO_BUF struct buf names = {0};
    AUTO_BUF struct buf plus = {0};
    AUTO_BUF struct buf has = {0};
    limits_format_controllers(missing, "", &names);
    limits_format_controllers(missing, "+", &plus);
    limits_format_controllers(p->controllers, "", &has);
    if (p->source == PLACE_SCOPE) {
        AUTO_BUF struct buf all = {0};
        limits_format_controllers(missing | p->controllers, "", &all);
        (void)err_set(ret, EOPNOTSUPP,
                      "user@%u.service, the user's systemd, was not granted the controller %s (it "
                      "has: %s)",
                      getuid(), buf_str(&names), has.len ? buf_str(&has) : "none");
        (void)err_hint(ret,
                       "as root: d=/etc/systemd/system/user@.service.d; mkdir -p $d && (echo "
                       "'[Service]'; echo 'Delegate=%s') >$d/delegate.conf && systemctl "
                       "daemon-reload && systemctl restart user@%u.service",
                       buf_str(&all), getuid());
        return;
    }
    (void)err_set(ret, EOPNOTSUPP, "the cgroup %s was not granted the controller %s (it has: %s)",
                  p->path, buf_str(&names), has.len ? buf_str(&has) : "none");
    if (p->ns_root)
        (void)err_hint(ret, "whoever made this container must grant it; a job of bryo has it when "
                            "the bryo outside has");
    else
        (void)err_hint(ret, "as root: echo '%s' > %s/../cgroup.subtree_control", buf_str(&plus),
                       p->path);
}

// There is none.
static void refuse_all(const struct place *p, const struct place_request *rq, unsigned missing,
                       const struct err *scope, struct err *ret)
{
    AUTO_BUF struct buf names = {0};
    AUTO_BUF struct buf plus = {0};
    AUTO_ACCOUNT struct account who = {0};
    limits_format_controllers(missing, "", &names);
    limits_format_controllers(missing, "+", &plus);
    if (rq->parent) {
        (void)err_set(ret, EINVAL, "%s none: nothing grants the controller %s", rq->origin,
                      buf_str(&names));
        (void)err_hint(ret, "leave out %s, and bryo looks for a place by itself", rq->origin);
        return;
    }
    (void)err_set(ret, EOPNOTSUPP,
                  "nothing grants the controller %s: the launcher's own cgroup %s is not delegated "
                  "to this user, and %s",
                  buf_str(&names), p->view.path ? p->view.path : "(out of sight)",
                  scope->num ? scope->text : "no systemd of this user was asked");
    if (access("/run/systemd/system", F_OK) == 0) {
        (void)account_of(getuid(), &who);
        (void)err_hint(ret, "as root: loginctl enable-linger %s", who.name ? who.name : "USER");
        return;
    }
    const char *m = p->view.mount;
    (void)err_hint(ret,
                   "as root: echo '%s' >%s/cgroup.subtree_control; mkdir %s/bryo; chown -R %u "
                   "%s/bryo/cgroup.procs %s/bryo/cgroup.threads %s/bryo/cgroup.subtree_control "
                   "%s/bryo; echo SHELL_PID >%s/bryo/cgroup.procs",
                   buf_str(&plus), m, m, getuid(), m, m, m, m, m);
}

void host_refuse(const struct place *p, const struct place_request *rq, const struct err *scope,
                 struct err *ret)
{
    unsigned missing = rq->needs & ~rq->optional & ~p->controllers;
    if (p->view.kind != CGROUP_V2 && (p->view.v1 & missing || p->view.kind != CGROUP_HYBRID))
        refuse_old(&p->view, missing, ret);
    else if (p->source != PLACE_NONE)
        refuse_lacking(p, missing, ret);
    else
        refuse_all(p, rq, missing, scope, ret);
    (void)err_stage(ret, STAGE_CGROUP);
}
