// SPDX-License-Identifier: Apache-2.0
#include "internal/roots/host_worker.h"

#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/base/sys.h"
#include "internal/roots/host_helper.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

// The mount namespace it makes for itself (confine.c).
#define UNPACK_NAMESPACES (CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS)

static int exec_inside(void *ctx, struct err *err)
{
    struct host_worker_plan *p = ctx;
    int r = proc_exec(p->argv, NULL, p->fds, p->n_fds);
    return err_sys(err, -r, "cannot run %s", p->argv[0]);
}

int host_worker_start(struct host_worker *h, const struct idmaps *maps,
                      struct host_worker_plan *plan, struct err *err)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return err_sys(err, errno, "cannot make a channel to bryo-unpack");
    AUTO_FD int ours = pair[0];
    AUTO_FD int theirs = pair[1];
    plan->fds[plan->n_fds++] = (struct proc_fd){theirs, UNPACK_FD_REPORT};
    int r;
    if (maps) {
        h->in_userns = true;
        r = userns_start(maps, UNPACK_NAMESPACES, exec_inside, plan, &h->task, err);
    } else {
        r = proc_spawn(plan->argv, NULL, plan->fds, plan->n_fds, &h->pid);
        if (r < 0)
            (void)err_sys(err, -r, "cannot run %s", plan->argv[0]);
    }
    if (r == 0)
        h->report = TAKE_FD(ours);
    return r;
}

void host_worker_kill(struct host_worker *h)
{
    if (h->in_userns)
        (void)sys_pidfd_send_signal(h->task.pidfd, SIGKILL);
    else if (h->pid > 0)
        (void)kill(h->pid, SIGKILL);
}

int host_worker_finish(struct host_worker *h, struct err *err)
{
    int status = 0;
    int r = 0;
    if (h->report < 0)
        return 0; // was not started
    fd_closep(&h->report);
    if (h->in_userns)
        r = userns_finish(&h->task, &status, err);
    else if ((r = proc_wait(h->pid, &status)) < 0)
        (void)err_sys(err, -r, "cannot wait for bryo-unpack");
    if (r < 0)
        return r;
    if (h->ended && h->last.kind == WIRE_FAILED) {
        *err = h->last.failed;
        return err->num > 0 ? -err->num : err_set(err, EPROTO, "bryo-unpack failed");
    }
    if (h->ended && WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU)
        return err_set(err, ETIME, "it takes more than an hour of processor time to unpack");
    if (WIFSIGNALED(status))
        return err_set(err, EPROTO, "bryo-unpack was ended by signal %d", WTERMSIG(status));
    return err_set(err, EPROTO, "bryo-unpack ended early, with status %d", WEXITSTATUS(status));
}

// What arrives is the word of a process that reads hostile bytes: sizes are checked, texts are cut
// off.
int host_worker_receive(struct host_worker *h, struct wire_record *ret)
{
    ssize_t n;
    while ((n = recv(h->report, ret, sizeof(*ret), MSG_DONTWAIT)) < 0 && errno == EINTR)
        ;
    if (n < 0)
        return errno == EAGAIN ? -EAGAIN : 0;
    if (n != (ssize_t)sizeof(*ret))
        return 0;
    switch (ret->kind) {
    case WIRE_FAILED:
        ret->failed.text[sizeof(ret->failed.text) - 1] = '\0';
        ret->failed.hint[sizeof(ret->failed.hint) - 1] = '\0';
        ret->failed.stage = 0;
        break;
    case WIRE_UNPACKED:
        ret->stats.format[sizeof(ret->stats.format) - 1] = '\0';
        break;
    case WIRE_REPACKED:
        ret->repacked.format[sizeof(ret->repacked.format) - 1] = '\0';
        break;
    case WIRE_DIGEST:
        ret->digest[sizeof(ret->digest) - 1] = '\0';
        break;
    case WIRE_BAD:
        ret->line[sizeof(ret->line) - 1] = '\0';
        break;
    default:
        break;
    }
    return 1;
}

bool host_worker_is_last_word(enum wire_kind kind)
{
    return kind == WIRE_FAILED || kind == WIRE_DIGEST || kind == WIRE_UNPACKED ||
           kind == WIRE_VERIFIED || kind == WIRE_PACKED || kind == WIRE_REPACKED;
}

static void hear(struct host_worker *h, host_worker_fn *each, void *ctx)
{
    while (!h->ended) {
        struct pollfd p = {.fd = h->report, .events = POLLIN};
        struct wire_record rec;
        if (poll(&p, 1, -1) < 0 && errno != EINTR)
            return;
        int r = host_worker_receive(h, &rec);
        if (r == -EAGAIN)
            continue;
        if (r == 0)
            return;
        h->ended = host_worker_is_last_word(rec.kind);
        if (h->ended)
            h->last = rec;
        else if (each)
            each(ctx, &rec);
    }
}

int host_worker_ask(const struct idmaps *maps, struct host_worker_plan *plan, enum wire_kind want,
                    host_worker_fn *each, void *ctx, struct wire_record *ret, struct err *err)
{
    struct host_worker h = {.report = -1};
    AUTO_FREE char *path = NULL;
    int r = host_helper_path("bryo-unpack", &path, err);
    if (r < 0)
        return r;
    plan->argv[0] = path;
    r = host_worker_start(&h, maps, plan, err);
    if (r < 0)
        return r;
    hear(&h, each, ctx);
    r = host_worker_finish(&h, err);
    if (r < 0)
        return r;
    if (h.last.kind != want)
        return err_set(err, EPROTO, "bryo-unpack did something else than it was asked for");
    *ret = h.last;
    return 0;
}
