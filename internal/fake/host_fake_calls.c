// SPDX-License-Identifier: Apache-2.0
// Letting the kernel go on with a call (SECCOMP_USER_NOTIF_FLAG_CONTINUE) is always safe here: what
// the job may do at most, the kernel and the job's filter decide, and nothing that is read from the
// caller's memory before changes that. A caller that changes its arguments meanwhile deceives
// itself.
#include "internal/fake/host_fake_calls.h"

#include "internal/base/log.h"
#include "internal/fake/host_fake_files.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

static int go_on(struct seccomp_notif_resp *resp)
{
    resp->flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
    return 0;
}

static int keep_ids(struct fake_calls *f, const struct seccomp_notif *req,
                    const struct fake_ids *ids)
{
    int r = fake_task_set_ids(&f->server, req, ids);
    if (r > 0)
        fake_calls_tell(f);
    return r < 0 ? r : 0;
}

static int set_ids(struct fake_calls *f, const struct seccomp_notif *req, enum fakeids_call call,
                   struct seccomp_notif_resp *resp)
{
    struct fake_ids ids;
    const __u64 *a = req->data.args;
    const uint32_t args[3] = {(uint32_t)a[0], (uint32_t)a[1], (uint32_t)a[2]};
    fake_task_ids_or_own(&f->server, req, &ids);
    uint32_t before = call == FAKEIDS_SETFSUID ? ids.uid.fs : ids.gid.fs;
    int cap = call <= FAKEIDS_SETFSUID ? CAP_SETUID : CAP_SETGID;
    int r = fakeids_set(&ids, call, args, fake_task_can(&f->server, req, cap));
    if (r == 0)
        r = keep_ids(f, req, &ids);
    if (call == FAKEIDS_SETFSUID || call == FAKEIDS_SETFSGID)
        resp->val = before;
    return r;
}

static int keep_caps(struct fake_calls *f, const struct seccomp_notif *req)
{
    struct fake_ids ids;
    uint64_t arg = req->data.args[1];
    bool by_bits = (int)req->data.args[0] == PR_SET_SECUREBITS;
    fake_task_ids_or_own(&f->server, req, &ids);
    fakeids_keep(&ids, by_bits ? arg & SECBIT_KEEP_CAPS : arg != 0);
    (void)fake_task_set_ids(&f->server, req, &ids);
    return -FAKE_GO_ON;
}

static int set_groups(struct fake_calls *f, const struct seccomp_notif *req)
{
    struct fake_ids ids;
    uint32_t groups[FAKEIDS_GROUPS];
    int count = (int)req->data.args[0];
    if (count < 0 || count > 65536)
        return -EINVAL;
    size_t n = count > FAKEIDS_GROUPS ? FAKEIDS_GROUPS : (size_t)count;
    int r = fake_task_read(&f->server, req, req->data.args[1], groups, n * sizeof(*groups));
    fake_task_ids_or_own(&f->server, req, &ids);
    if (r == 0)
        r = fakeids_set_groups(&ids, groups, n, fake_task_can(&f->server, req, CAP_SETGID));
    return r < 0 ? r : keep_ids(f, req, &ids);
}

static int get_groups(struct fake_calls *f, const struct seccomp_notif *req,
                      const struct fake_ids *ids, struct seccomp_notif_resp *resp)
{
    int size = (int)req->data.args[0];
    resp->val = ids->n_groups;
    if (size < 0 || (size && (uint32_t)size < ids->n_groups))
        return -EINVAL;
    return size == 0 ? 0
                     : fake_task_write(&f->server, req, req->data.args[1], ids->groups,
                                       ids->n_groups * sizeof(ids->groups[0]));
}

static int get_triple(struct fake_calls *f, const struct seccomp_notif *req,
                      const struct fake_triple *t)
{
    const uint32_t values[3] = {t->real, t->effective, t->saved};
    int r = 0;
    for (int i = 0; i < 3 && r == 0; i++)
        r = fake_task_write(&f->server, req, req->data.args[i], &values[i], sizeof(values[i]));
    return r;
}

// The supplementary groups of the launcher show in a job with one id as groups that nobody has: the
// job is told of none.
static int get_own_groups(struct seccomp_notif_resp *resp)
{
    resp->val = 0;
    return 0;
}

static int get_ids(struct fake_calls *f, const struct seccomp_notif *req,
                   struct seccomp_notif_resp *resp)
{
    struct fake_ids ids;
    if (!fake_task_ids(&f->server, req, &ids))
        return req->data.nr == SYS_getgroups ? get_own_groups(resp) : go_on(resp);
    switch (req->data.nr) {
    case SYS_getuid:
        resp->val = ids.uid.real;
        return 0;
    case SYS_geteuid:
        resp->val = ids.uid.effective;
        return 0;
    case SYS_getgid:
        resp->val = ids.gid.real;
        return 0;
    case SYS_getegid:
        resp->val = ids.gid.effective;
        return 0;
    case SYS_getresuid:
        return get_triple(f, req, &ids.uid);
    case SYS_getresgid:
        return get_triple(f, req, &ids.gid);
    default:
        return get_groups(f, req, &ids, resp);
    }
}

static int answer(struct fake_calls *f, const struct seccomp_notif *req,
                  struct seccomp_notif_resp *resp)
{
    switch (req->data.nr) {
    case SYS_getuid:
    case SYS_geteuid:
    case SYS_getgid:
    case SYS_getegid:
    case SYS_getresuid:
    case SYS_getresgid:
    case SYS_getgroups:
        return get_ids(f, req, resp);
    case SYS_setuid:
        return set_ids(f, req, FAKEIDS_SETUID, resp);
    case SYS_setreuid:
        return set_ids(f, req, FAKEIDS_SETREUID, resp);
    case SYS_setresuid:
        return set_ids(f, req, FAKEIDS_SETRESUID, resp);
    case SYS_setfsuid:
        return set_ids(f, req, FAKEIDS_SETFSUID, resp);
    case SYS_setgid:
        return set_ids(f, req, FAKEIDS_SETGID, resp);
    case SYS_setregid:
        return set_ids(f, req, FAKEIDS_SETREGID, resp);
    case SYS_setresgid:
        return set_ids(f, req, FAKEIDS_SETRESGID, resp);
    case SYS_setfsgid:
        return set_ids(f, req, FAKEIDS_SETFSGID, resp);
    case SYS_setgroups:
        return set_groups(f, req);
    case SYS_prctl:
        return keep_caps(f, req);
    default:
        return fake_files_answer(f, req, resp);
    }
}

void fake_calls_tell(struct fake_calls *f)
{
    if (!f->told)
        log_note("the job has one id%s%s: that files and processes get others is pretended "
                 "(--no-fake-root)",
                 f->why ? ", since " : "", f->why ? f->why : "");
    f->told = true;
}

void fake_calls_handle(void *ctx, const struct seccomp_notif *req, struct seccomp_notif_resp *resp)
{
    struct fake_calls *f = ctx;
    int r = answer(f, req, resp);
    if (r == -FAKE_GO_ON) {
        resp->flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
        resp->val = 0;
    } else if (r < 0) {
        resp->error = r;
        resp->val = 0;
    }
}
