// SPDX-License-Identifier: Apache-2.0
#include "internal/run/host_unpack.h"

#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/base/log.h"
#include "internal/base/loop.h"
#include "internal/base/proc.h"
#include "internal/base/sys.h"
#include "internal/image/unpack_wire.h"
#include "internal/job/spec.h"
#include "internal/job/stage.h"
#include "internal/run/host_helper.h"
#include "internal/run/host_tree.h"
#include "internal/run/progress.h"
#include "internal/sandbox/host_identity.h"
#include "internal/sandbox/userns.h"

#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

// The mount namespace it makes for itself (confine.c).
#define UNPACK_NAMESPACES (CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS)

// Nothing is drawn for what takes no time.
#define SHOW_AFTER_US 300000U

// --- a bryo-unpack that is running ------------------------------------------------------------

struct helper {
    char *path;
    int report; // our end
    bool in_userns;
    struct userns_task task; // in_userns
    pid_t pid;               // otherwise
    bool ended;              // it said its last word
    struct wire_record last;
};

struct exec_plan {
    char **argv;
    struct proc_fd fds[4];
    size_t n_fds;
};

static int exec_inside(void *ctx, struct err *err)
{
    struct exec_plan *p = ctx;
    int r = proc_exec(p->argv, NULL, p->fds, p->n_fds);
    return err_sys(err, -r, "cannot run %s", p->argv[0]);
}

// Starts it; its end of the channel is among its descriptors as UNPACK_FD_REPORT.
static int helper_start(struct helper *h, const struct idmaps *maps, struct exec_plan *plan,
                        struct err *err)
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

static void helper_kill(struct helper *h)
{
    if (h->in_userns)
        (void)sys_pidfd_send_signal(h->task.pidfd, SIGKILL);
    else if (h->pid > 0)
        (void)kill(h->pid, SIGKILL);
}

// Waits for its end. The reason of a failure is what it said, or what the kernel says of its end.
static int helper_finish(struct helper *h, struct err *err)
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

// One record. 1: there was one; 0: the channel is closed; -EAGAIN: not now. What arrives is the
// word of a process that reads hostile bytes: sizes are checked, texts are cut off.
static int helper_receive(struct helper *h, struct wire_record *ret)
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

static bool is_last_word(enum wire_kind kind)
{
    return kind == WIRE_FAILED || kind == WIRE_DIGEST || kind == WIRE_UNPACKED ||
           kind == WIRE_VERIFIED;
}

// --- the bar ----------------------------------------------------------------------------------

struct bar {
    bool on;
    bool drawn;
    bool color;
    uint64_t start_us;
};

static void bar_draw(struct bar *b, const struct wire_progress *p)
{
    uint64_t elapsed = loop_now_us() - b->start_us;
    if (!b->on || elapsed < SHOW_AFTER_US)
        return;
    struct winsize ws = {0};
    unsigned width = ioctl(STDERR_FILENO, TIOCGWINSZ, &ws) == 0 && ws.ws_col >= 20 ? ws.ws_col : 80;
    AUTO_BUF struct buf line = {0};
    struct progress now = {p->in, p->in_total, p->out, p->entries, elapsed};
    buf_adds(&line, "\r\033[K");
    progress_format(&now, width, b->color, &line);
    ssize_t n = write(STDERR_FILENO, line.data, line.len);
    (void)n;
    b->drawn = true;
}

static void bar_erase(struct bar *b)
{
    static const char erase[] = "\r\033[K";
    if (b->drawn) {
        ssize_t n = write(STDERR_FILENO, erase, sizeof(erase) - 1);
        (void)n;
    }
}

static struct bar bar_begin(bool show)
{
    const char *term = getenv("TERM");
    const char *no_color = getenv("NO_COLOR"); // no-color.org: set and not empty
    return (struct bar){
        .on = show && log_get_level() > LOG_QUIET && term && strcmp(term, "dumb") != 0,
        .color = !(no_color && no_color[0]),
        .start_us = loop_now_us(),
    };
}

// --- unpacking --------------------------------------------------------------------------------

struct unpacking {
    const struct unpack_request *req;
    struct helper digest;
    struct helper unpack;
    struct bar bar;
    bool unwanted; // the store has it already
};

// What a helper says until it has nothing more to say at the moment.
static void listen_to(struct unpacking *u, struct helper *h)
{
    struct wire_record rec;
    int r;
    while (!h->ended && (r = helper_receive(h, &rec)) != -EAGAIN) {
        if (r == 0) {
            h->ended = true;
            h->last = (struct wire_record){.kind = WIRE_PROGRESS}; // no last word
        } else if (rec.kind == WIRE_PROGRESS) {
            bar_draw(&u->bar, &rec.progress);
        } else if (is_last_word(rec.kind)) {
            h->ended = true;
            h->last = rec;
        }
    }
    if (h == &u->digest && h->ended && h->last.kind == WIRE_DIGEST)
        u->unwanted = u->req->have && u->req->have(u->req->have_ctx, h->last.digest);
}

static bool has_failed(const struct helper *h)
{
    return h->ended && h->last.kind != WIRE_DIGEST && h->last.kind != WIRE_UNPACKED;
}

// Until both have ended, one has failed, or the result is not wanted any more.
static void listen_both(struct unpacking *u)
{
    while (!(u->digest.ended && u->unpack.ended) && !u->unwanted && !has_failed(&u->digest) &&
           !has_failed(&u->unpack)) {
        struct pollfd p[2] = {
            {.fd = u->digest.ended ? -1 : u->digest.report, .events = POLLIN},
            {.fd = u->unpack.ended ? -1 : u->unpack.report, .events = POLLIN},
        };
        if (poll(p, 2, -1) < 0 && errno != EINTR)
            break;
        if (p[0].revents)
            listen_to(u, &u->digest);
        if (p[1].revents && !u->unwanted)
            listen_to(u, &u->unpack);
    }
}

static int start_both(struct unpacking *u, const struct idmaps *maps, char *path, struct err *err)
{
    char max_bytes[24];
    char max_entries[24];
    (void)snprintf(max_bytes, sizeof(max_bytes), "%" PRIu64, u->req->limits->max_bytes);
    (void)snprintf(max_entries, sizeof(max_entries), "%" PRIu64, u->req->limits->max_entries);
    char *digest_argv[] = {path, (char *)"digest", NULL};
    char *unpack_argv[] = {path, (char *)"unpack", max_bytes, max_entries, NULL};
    struct exec_plan digest = {
        .argv = digest_argv, .fds = {{u->req->input_fd, UNPACK_FD_INPUT}}, .n_fds = 1};
    struct exec_plan unpack = {.argv = unpack_argv,
                               .fds = {{u->req->input_fd, UNPACK_FD_INPUT},
                                       {u->req->dst_fd, UNPACK_FD_TREE},
                                       {u->req->manifest_fd, UNPACK_FD_MANIFEST}},
                               .n_fds = 3};
    int r = helper_start(&u->unpack, maps, &unpack, err);
    return r < 0 ? r : helper_start(&u->digest, NULL, &digest, err);
}

// All ids that this user has, whatever the maps of this run are.
static int widest_maps(struct host_identity *ret, struct err *err)
{
    struct job_spec spec;
    job_spec_init(&spec);
    int r = host_identity_choose(&spec, 0, 0, ret, err);
    job_spec_done(&spec);
    return r;
}

struct ownership {
    int fd;
    uint32_t uid;
    uint32_t gid;
};

static int own_inside(void *ctx, struct err *err)
{
    const struct ownership *o = ctx;
    if (fchown(o->fd, o->uid, o->gid) < 0)
        return err_sys(err, errno, "cannot give the directory to unpack into to the job's root");
    return 0;
}

// With --uidmap the job's root may be another id than the user. The directory was made by the user;
// root of the widest namespace gives it to that id.
static int own_by_root(const struct idmaps *maps, int fd, struct err *err)
{
    struct host_identity widest = {0};
    struct ownership o = {.fd = fd};
    struct userns_task task;
    uint32_t uid = 0;
    uint32_t gid = 0;
    int status = 0;
    if (!idmap_to_outside(&maps->uid, 0, &uid) || !idmap_to_outside(&maps->gid, 0, &gid))
        return err_set(err, EINVAL, "a tarball cannot be unpacked under an id map without 0");
    if (uid == geteuid())
        return 0;
    int r = widest_maps(&widest, err);
    if (r == 0 && (!idmap_to_inside(&widest.maps.uid, uid, &o.uid) ||
                   !idmap_to_inside(&widest.maps.gid, gid, &o.gid)))
        r = err_set(err, EINVAL, "this user does not have the id %u", uid);
    if (r == 0)
        r = userns_start(&widest.maps, 0, own_inside, &o, &task, err);
    if (r == 0)
        r = userns_finish(&task, &status, err);
    idmaps_done(&widest.maps);
    return r;
}

// When nobody wants the result, or one of two has failed, the other has no reason to go on.
static int finish_both(struct unpacking *u, struct unpack_stats *ret, struct err *err)
{
    struct err second = {0};
    if (u->unwanted || !u->unpack.ended)
        helper_kill(&u->unpack);
    if (!u->digest.ended)
        helper_kill(&u->digest);
    bool digest_failed = has_failed(&u->digest);
    // That one was killed for being unwanted is no failure that anybody shall hear of.
    struct err *told = u->unwanted ? &second : err;
    int r = helper_finish(&u->unpack, digest_failed ? &second : told);
    int d = helper_finish(&u->digest, digest_failed ? told : &second);
    if (u->unwanted)
        return -ECANCELED;
    if (r < 0 || d < 0)
        return digest_failed ? d : r < 0 ? r : err_set(err, EPROTO, "%s", second.text);
    if (u->unpack.last.kind != WIRE_UNPACKED || u->digest.last.kind != WIRE_DIGEST)
        return err_set(err, EPROTO, "bryo-unpack did something else than it was asked for");
    *ret = u->unpack.last.stats;
    memcpy(ret->digest, u->digest.last.digest, sizeof(ret->digest));
    return 0;
}

static int unpack(void *ctx, const struct unpack_request *req, struct unpack_stats *ret,
                  struct err *err)
{
    const struct unpack_context *c = ctx;
    struct unpacking u = {.req = req, .digest = {.report = -1}, .unpack = {.report = -1}};
    AUTO_FREE char *path = NULL;
    int r = host_helper_path("bryo-unpack", &path, err);
    if (r == 0)
        r = own_by_root(c->maps, req->dst_fd, err);
    if (r < 0)
        return r;
    u.bar = bar_begin(req->show_progress);
    r = start_both(&u, c->maps, path, err);
    if (r < 0) {
        struct err ignored = {0};
        helper_kill(&u.unpack);
        (void)helper_finish(&u.unpack, &ignored);
        return r;
    }
    listen_both(&u);
    bar_erase(&u.bar);
    r = finish_both(&u, ret, err);
    return r < 0 && r != -ECANCELED ? err_stage(err, STAGE_UNPACK) : r;
}

static int remove_tree(void *ctx, int dirfd, const char *name, struct err *err)
{
    (void)ctx;
    struct host_identity widest = {0};
    int r = widest_maps(&widest, err);
    if (r == 0)
        r = host_tree_remove(&widest.maps, dirfd, name, err);
    idmaps_done(&widest.maps);
    return r;
}

void host_unpack_ops(struct unpack_context *context, struct image_ops *ops)
{
    *ops = (struct image_ops){.unpack = unpack, .remove_tree = remove_tree, .ctx = context};
}

// --- verifying --------------------------------------------------------------------------------

static void collect(struct helper *h, struct strv *bad)
{
    struct wire_record rec;
    for (;;) {
        struct pollfd p = {.fd = h->report, .events = POLLIN};
        if (poll(&p, 1, -1) < 0 && errno != EINTR)
            return;
        int r = helper_receive(h, &rec);
        if (r == -EAGAIN)
            continue;
        if (r == 0)
            return;
        if (rec.kind == WIRE_BAD)
            strv_add(bad, rec.line);
        h->ended = is_last_word(rec.kind);
        h->last = rec;
        if (h->ended)
            return;
    }
}

int host_unpack_verify(const struct idmaps *maps, const struct image_ref *ref, bool owners,
                       uint64_t *ret_checked, struct strv *bad, struct err *err)
{
    AUTO_FREE char *path = NULL;
    AUTO_FD int manifest = openat(ref->lock_fd, "manifest", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (manifest < 0)
        return err_sys(err, errno, "cannot open the manifest of the stored image");
    int r = host_helper_path("bryo-unpack", &path, err);
    if (r < 0)
        return r;
    char *argv[] = {path, (char *)"verify", (char *)(owners ? "owners" : "no-owners"), NULL};
    struct exec_plan plan = {
        .argv = argv,
        .fds = {{ref->rootfs_fd, UNPACK_FD_TREE}, {manifest, UNPACK_FD_MANIFEST}},
        .n_fds = 2};
    struct helper h = {.report = -1};
    r = helper_start(&h, maps, &plan, err);
    if (r < 0)
        return r;
    collect(&h, bad);
    r = helper_finish(&h, err);
    if (r == 0 && h.last.kind != WIRE_VERIFIED)
        r = err_set(err, EPROTO, "bryo-unpack did something else than it was asked for");
    if (r == 0)
        *ret_checked = h.last.checked;
    return r;
}
