// SPDX-License-Identifier: Apache-2.0
#include "internal/run/job_fake.h"

#include "internal/base/buf.h"
#include "internal/base/err.h"
#include "internal/base/log.h"
#include "internal/base/loop.h"
#include "internal/fake/host_fake_calls.h"
#include "internal/job/seccomp.h"
#include "internal/job/spec.h"
#include "internal/run/supervise.h"
#include "internal/sandbox/host_identity.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/syscall.h>

static bool has_one(const struct idmap *map)
{
    return map->n == 1 && map->ext[0].count == 1;
}

void job_fake_init(struct job_fake *f, const struct job_spec *spec, const struct host_identity *id)
{
    *f = (struct job_fake){.process = HOST_FAKE_NONE, .why = id->single};
    bool one = has_one(&id->maps.uid) && has_one(&id->maps.gid);
    if (spec->fake_root == FAKE_ROOT_ON && !one)
        log_note("--fake-root is for a job with one id; this one has more, which are real");
    if (!one || spec->fake_root == FAKE_ROOT_OFF)
        return;
    f->on = true;
    f->uid = id->maps.uid.ext[0].inside;
    f->gid = id->maps.gid.ext[0].inside;
}

static void serve(void *ctx, struct fake_calls *calls)
{
    struct job_fake *f = ctx;
    calls->why = f->why;
    job_seccomp_serve(f->seccomp, calls->server.listener, calls->server.proc, fake_calls_handle,
                      calls);
}

// Without it every call that is handed out fails with ENOSYS from then on.
static int on_end(void *ctx, uint32_t events)
{
    struct job_fake *f = ctx;
    struct err err = {0};
    (void)events;
    if (f->process.pid > 0)
        loop_remove(f->loop, f->process.pidfd);
    (void)err_set(&err, EIO, "the process that answers for --fake-root ended before the job");
    (void)err_hint(&err, "the kernel may have been out of memory (dmesg); --no-fake-root goes "
                         "without");
    supervisor_fail(f->supervisor, &err);
    return 0;
}

// Before anything was pretended, who only looks sees what there is.
static bool matters(const struct seccomp_data *data)
{
    switch (data->nr) {
#ifdef SYS_stat
    case SYS_stat:
    case SYS_lstat:
#endif
    case SYS_fstat:
    case SYS_newfstatat:
    case SYS_statx:
    case SYS_getuid:
    case SYS_geteuid:
    case SYS_getgid:
    case SYS_getegid:
    case SYS_getresuid:
    case SYS_getresgid:
        return data->arch != seccomp_audit_arch();
    default:
        return true;
    }
}

static int take(void *ctx, struct job_seccomp *s, struct supervisor *supervisor)
{
    struct job_fake *f = ctx;
    struct err err = {0};
    f->seccomp = s;
    f->loop = s->loop;
    f->supervisor = supervisor;
    int r = host_fake_start(&f->process, s->listener, f->uid, f->gid, serve, f, &err);
    if (r == 0)
        r = loop_add(f->loop, f->process.pidfd, EPOLLIN, on_end, f);
    if (r < 0 && !err.num)
        (void)err_sys(&err, -r, "cannot watch the process for --fake-root");
    if (r < 0)
        supervisor_fail(supervisor, &err);
    return r;
}

// A process of its own for each further command: what one gave away another sees as root's.
struct fake_more {
    struct host_fake process;
    struct job_fake *fake;
};

static int on_more_end(void *ctx, uint32_t events)
{
    struct fake_more *m = ctx;
    loop_remove(m->fake->loop, m->process.pidfd);
    return on_end(m->fake, events);
}

static void drop(void *ctx, void *taken)
{
    struct job_fake *f = ctx;
    struct fake_more *m = taken;
    loop_remove(f->loop, m->process.pidfd);
    host_fake_end(&m->process);
    free(m);
}

static void *take_more(void *ctx, struct job_seccomp *s, int listener)
{
    struct job_fake *f = ctx;
    struct err err = {0};
    struct fake_more *m = mem_alloc(sizeof(*m));
    *m = (struct fake_more){.process = HOST_FAKE_NONE, .fake = f};
    f->seccomp = s;
    f->loop = s->loop;
    f->supervisor = s->supervisor;
    if (host_fake_start(&m->process, listener, f->uid, f->gid, serve, f, &err) < 0 ||
        loop_add(f->loop, m->process.pidfd, EPOLLIN, on_more_end, m) < 0) {
        log_warn("a further command goes without --fake-root: %s", err.text);
        host_fake_end(&m->process);
        free(m);
        return NULL;
    }
    return m;
}

static void job_ended(void *ctx)
{
    struct job_fake *f = ctx;
    if (f->process.pid > 0)
        loop_remove(f->loop, f->process.pidfd);
    host_fake_end(&f->process);
}

struct job_seccomp_handler job_fake_handler(struct job_fake *f)
{
    if (!f->on)
        return (struct job_seccomp_handler){0};
    return (struct job_seccomp_handler){.front = f->front,
                                        .n_front = fakefilter_write(f->front),
                                        .matters = matters,
                                        .take = take,
                                        .job_ended = job_ended,
                                        .take_more = take_more,
                                        .drop = drop,
                                        .ctx = f};
}

void job_fake_done(struct job_fake *f)
{
    host_fake_end(&f->process);
}
