// SPDX-License-Identifier: Apache-2.0
// --seccomp-log. The kernel's own record of refused calls (SECCOMP_RET_LOG) is for root to read. So
// the program that the kernel gets hands to a listener what it would have refused, and the listener
// answers what the program as it was says: the same error, whatever the job does meanwhile to the
// memory that its arguments point to. No call is ever let go on by an answer.
#include "internal/run/job_seccomp.h"

#include "internal/base/buf.h"
#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/base/escape.h"
#include "internal/base/log.h"
#include "internal/base/loop.h"
#include "internal/job/seccomp.h"
#include "internal/job/spec.h"
#include "internal/job/stage.h"
#include "internal/run/seccomp_turns.h"
#include "internal/sandbox/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/audit.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define TOLD_MAX 512 // different calls; there are not so many

// So many calls that do not matter are let go on by the loop, which does other things as well; a
// job that makes more of them gets the process that does nothing else.
#define PASSED_MAX 64

struct told {
    uint32_t arch;
    int nr;
};

static bool is_errno(uint32_t action)
{
    return (action & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_ERRNO;
}

// What the profile says of a call.
static uint32_t verdict(const struct job_seccomp *s, const struct seccomp_data *data)
{
    return s->program.n ? seccomp_eval(s->program.insns, s->program.n, data) : SECCOMP_RET_ALLOW;
}

// The descriptor of the listener leaves the job by sendmsg(2), made under the filter.
static int check_sendmsg(const struct job_seccomp *s, struct err *err)
{
    struct seccomp_data data = {.nr = SYS_sendmsg, .arch = seccomp_audit_arch()};
    uint32_t action = verdict(s, &data) & SECCOMP_RET_ACTION_FULL;
    if (action == SECCOMP_RET_ALLOW || action == SECCOMP_RET_LOG)
        return 0;
    (void)err_set(err, EINVAL,
                  "the profile of --seccomp does not allow sendmsg, by which the "
                  "filter's listener would be handed over");
    return err_hint(err, "allow sendmsg in the profile, or leave out --seccomp-log, or add "
                         "--no-fake-root");
}

static size_t transform(struct job_seccomp *s)
{
    static const struct sock_filter allow[] = {{BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW}};
    const struct sock_filter *insns = s->program.n ? s->program.insns : allow;
    size_t n = s->program.n ? s->program.n : 1;
    size_t front = s->handler.n_front;
    s->installed = mem_alloc((front + n) * sizeof(*s->installed));
    if (front)
        memcpy(s->installed, s->handler.front, front * sizeof(*s->installed));
    memcpy(s->installed + front, insns, n * sizeof(*s->installed));
    for (size_t i = front; s->log && i < front + n; i++)
        if (s->installed[i].code == (BPF_RET | BPF_K) && is_errno(s->installed[i].k))
            s->installed[i].k = SECCOMP_RET_USER_NOTIF;
    return front + n;
}

static void tell_notes(const struct job_spec *spec, char *notes)
{
    char *save = NULL;
    for (char *line = strtok_r(notes, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        AUTO_BUF struct buf text = {0};
        escape_add(&text, line, strlen(line));
        log_note("--seccomp %s: %s: ignored", spec->seccomp, buf_str(&text));
    }
}

int job_seccomp_prepare(struct job_seccomp *s, const struct job_spec *spec,
                        const struct job_seccomp_handler *handler, const char *bryo_dir,
                        struct sandbox_seccomp *ret, struct err *err)
{
    static const struct job_seccomp_handler none = {0};
    *s = JOB_SECCOMP_NONE;
    s->log = spec->seccomp_log;
    s->handler = handler ? *handler : none;
    *ret = (struct sandbox_seccomp){0};
    if (spec->unconfined && s->handler.n_front == 0)
        return 0;
    if (!spec->unconfined) {
        if (seccomp_program_get(spec, bryo_dir, &s->program, err) < 0)
            return err_stage(err, STAGE_PRIVILEGES);
        tell_notes(spec, s->program.notes);
    }
    size_t n = transform(s);
    if (n > BPF_MAXINSNS) {
        (void)err_set(err, E2BIG, "the profile of --seccomp leaves no room for --fake-root");
        (void)err_hint(err, "make it shorter, or add --no-fake-root");
        return err_stage(err, STAGE_PRIVILEGES);
    }
    *ret = (struct sandbox_seccomp){.insns = s->installed,
                                    .n = (unsigned short)n,
                                    .n_front = s->log ? 0 : (unsigned short)s->handler.n_front,
                                    .flags = spec->unconfined ? SECCOMP_FLAGS : s->program.flags,
                                    .own = !spec->seccomp,
                                    .listener = seccomp_wants_listener(s->installed, n)};
    if (ret->listener && check_sendmsg(s, err) < 0)
        return err_stage(err, STAGE_PRIVILEGES);
    return 0;
}

void job_seccomp_done(struct job_seccomp *s)
{
    seccomp_program_done(&s->program);
    free(s->installed);
    free(s->told);
    fd_closep(&s->listener);
    *s = JOB_SECCOMP_NONE;
}

// --- the listener --------------------------------------------------------------------------------

static bool is_new(struct job_seccomp *s, const struct seccomp_data *data)
{
    for (size_t i = 0; i < s->n_told; i++)
        if (s->told[i].arch == data->arch && s->told[i].nr == data->nr)
            return false;
    if (s->n_told >= TOLD_MAX)
        return false;
    s->told = mem_grow(s->told, s->n_told + 1, sizeof(*s->told));
    s->told[s->n_told++] = (struct told){data->arch, data->nr};
    return true;
}

// The program that made the call, as the job sees it. It stands still in its call, or is dead: then
// the number may be another's by now.
static void name_program(const struct job_seccomp *s, const struct seccomp_notif *req,
                         struct buf *ret)
{
    char path[64];
    char exe[PATH_MAX];
    (void)snprintf(path, sizeof(path), "%s%u/exe", s->proc < 0 ? "/proc/" : "", req->pid);
    ssize_t n = readlinkat(s->proc < 0 ? AT_FDCWD : s->proc, path, exe, sizeof(exe));
    if (ioctl(s->listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &req->id) < 0)
        n = 0;
    if (n > 0)
        escape_add(ret, exe, (size_t)n);
    else
        buf_adds(ret, "a program that has ended");
}

static void tell(struct job_seccomp *s, const struct seccomp_notif *req, int num)
{
    AUTO_BUF struct buf program = {0};
    uint32_t arch = req->data.arch;
    if (!is_new(s, &req->data))
        return;
    AUTO_FREE char *name = seccomp_name(arch, (uint32_t)req->data.nr);
    name_program(s, req, &program);
    const char *abi = arch == AUDIT_ARCH_I386  ? " (32-bit)"
                      : arch == AUDIT_ARCH_ARM ? " (32-bit)"
                                               : "";
    if (name)
        log_warn("seccomp: %s%s by %s: %s", name, abi, buf_str(&program), strerrorname_np(num));
    else
        log_warn("seccomp: system call %d%s by %s: %s", req->data.nr, abi, buf_str(&program),
                 strerrorname_np(num));
}

static int answer(struct job_seccomp *s, const struct seccomp_notif *req)
{
    struct seccomp_notif_resp resp = {.id = req->id, .error = -EPERM};
    uint32_t action = verdict(s, &req->data);
    if (is_errno(action)) {
        resp.error = -(int)(action & SECCOMP_RET_DATA);
        if (s->log)
            tell(s, req, -resp.error);
    } else if (s->answer) {
        resp.error = 0;
        s->answer(s->answer_ctx, req, &resp);
    }
    // ENOENT: whoever called is gone.
    (void)ioctl(s->listener, SECCOMP_IOCTL_NOTIF_SEND, &resp);
    return 0;
}

// As large as this kernel wants it (SECCOMP_GET_NOTIF_SIZES); it has not grown since 5.0.
union request {
    struct seccomp_notif req;
    char room[512];
};

// 0, -EAGAIN: the caller was killed before it could be read; -errno.
static int receive(const struct job_seccomp *s, union request *ret)
{
    *ret = (union request){0};
    if (ioctl(s->listener, SECCOMP_IOCTL_NOTIF_RECV, &ret->req) < 0)
        return errno == EINTR || errno == ENOENT || errno == EAGAIN ? -EAGAIN : -errno;
    return 0;
}

static int serve_one(struct job_seccomp *s)
{
    union request u;
    int r = receive(s, &u);
    return r < 0 ? r : answer(s, &u.req);
}

void job_seccomp_serve(struct job_seccomp *s, int listener, int proc, job_seccomp_answer *fn,
                       void *ctx)
{
    s->listener = listener;
    s->proc = proc;
    s->answer = fn;
    s->answer_ctx = ctx;
    struct seccomp_turns turns = {0};
    union request u;
    int r;
    if (s->pending)
        (void)answer(s, s->pending);
    do {
        r = receive(s, &u);
        if (r == 0) {
            seccomp_turns_take(&turns, listener, u.req.pid);
            (void)answer(s, &u.req);
        }
    } while (r == 0 || r == -EAGAIN);
}

static void let_pass(struct job_seccomp *s, const struct seccomp_notif *req)
{
    struct seccomp_notif_resp resp = {.id = req->id, .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE};
    (void)ioctl(s->listener, SECCOMP_IOCTL_NOTIF_SEND, &resp);
}

// Answers what can be answered here; the rest is the handler's from then on.
static int hand_over(struct job_seccomp *s)
{
    union request u;
    int r = receive(s, &u);
    if (r < 0)
        return r == -EAGAIN ? 0 : r;
    if (is_errno(verdict(s, &u.req.data)))
        return answer(s, &u.req);
    if (!s->handler.matters(&u.req.data) && s->n_passed < PASSED_MAX) {
        s->n_passed++;
        let_pass(s, &u.req);
        return 0;
    }
    loop_remove(s->loop, s->listener);
    s->pending = &u.req;
    r = s->handler.take(s->handler.ctx, s, s->supervisor);
    s->pending = NULL;
    fd_closep(&s->listener); // whoever took it is the only one: its end is heard by the job
    return r < 0 ? 0 : r;
}

static int on_listener(void *ctx, uint32_t events)
{
    struct job_seccomp *s = ctx;
    if (!(events & EPOLLIN)) { // nobody is left under the filter
        loop_remove(s->loop, s->listener);
        return 0;
    }
    if (s->handler.take)
        return hand_over(s);
    int r = serve_one(s);
    return r == -EAGAIN ? 0 : r;
}

static int start(void *ctx, struct loop *loop, struct supervisor *supervisor, struct err *err)
{
    struct job_seccomp *s = ctx;
    (void)err;
    s->loop = loop;
    s->supervisor = supervisor;
    return 0;
}

static void drop_more(struct seccomp_more *m)
{
    struct job_seccomp *s = m->s;
    if (m->taken)
        s->handler.drop(s->handler.ctx, m->taken);
    loop_remove(s->loop, m->fd);
    (void)close(m->fd);
    *m = (struct seccomp_more){0};
}

static void job_ended(void *ctx)
{
    struct job_seccomp *s = ctx;
    for (int i = 0; i < SECCOMP_MORE; i++)
        if (s->more[i].fd)
            drop_more(&s->more[i]);
    if (s->handler.job_ended)
        s->handler.job_ended(s->handler.ctx);
}

static int serve_more(struct seccomp_more *m)
{
    struct job_seccomp *s = m->s;
    int first = s->listener;
    s->listener = m->fd;
    int r = serve_one(s);
    s->listener = first;
    return r == -EAGAIN ? 0 : r;
}

static int on_more(void *ctx, uint32_t events)
{
    struct seccomp_more *m = ctx;
    struct job_seccomp *s = m->s;
    if (!(events & EPOLLIN)) { // nobody is left under the filter
        drop_more(m);
        return 0;
    }
    if (!s->handler.take_more)
        return serve_more(m);
    m->taken = s->handler.take_more(s->handler.ctx, s, m->fd);
    if (!m->taken)
        drop_more(m);
    else
        (void)loop_change(s->loop, m->fd, 0); // its end is still heard
    return 0;
}

static int receive_more(struct job_seccomp *s, int fd)
{
    for (int i = 0; i < SECCOMP_MORE; i++) {
        struct seccomp_more *m = &s->more[i];
        if (m->fd)
            continue;
        *m = (struct seccomp_more){.fd = fd, .s = s};
        int r = loop_add(s->loop, fd, EPOLLIN, on_more, m);
        if (r < 0)
            *m = (struct seccomp_more){0};
        return r < 0 ? r : 1;
    }
    return 0;
}

static int received(void *ctx, int tag, int fd)
{
    struct job_seccomp *s = ctx;
    if (tag != CHANNEL_TAG_SECCOMP)
        return 0;
    if (s->has_first)
        return receive_more(s, fd);
    s->has_first = true;
    s->listener = fd;
    int r = loop_add(s->loop, fd, EPOLLIN, on_listener, s);
    return r < 0 ? r : 1;
}

struct supervise_part job_seccomp_part(struct job_seccomp *s)
{
    return (struct supervise_part){
        .start = start, .received = received, .job_ended = job_ended, .ctx = s};
}
