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
#include "internal/sandbox/channel.h"

#include <errno.h>
#include <limits.h>
#include <linux/audit.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define TOLD_MAX 512 // different calls; there are not so many

struct told {
    uint32_t arch;
    int nr;
};

static bool is_errno(uint32_t action)
{
    return (action & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_ERRNO;
}

// The descriptor of the listener leaves the job by sendmsg(2), made under the filter.
static int check_sendmsg(const struct seccomp_program *p, struct err *err)
{
    struct seccomp_data data = {.nr = SYS_sendmsg, .arch = seccomp_audit_arch()};
    uint32_t action = seccomp_eval(p->insns, p->n, &data) & SECCOMP_RET_ACTION_FULL;
    if (action == SECCOMP_RET_ALLOW || action == SECCOMP_RET_LOG)
        return 0;
    (void)err_set(err, EINVAL,
                  "the profile of --seccomp does not allow sendmsg, by which the "
                  "filter's listener would be handed over");
    return err_hint(err, "allow sendmsg in the profile, or leave out --seccomp-log");
}

static void transform(struct job_seccomp *s)
{
    const struct seccomp_program *p = &s->program;
    s->installed = mem_alloc(p->n * sizeof(*s->installed));
    memcpy(s->installed, p->insns, p->n * sizeof(*s->installed));
    for (size_t i = 0; s->log && i < p->n; i++)
        if (s->installed[i].code == (BPF_RET | BPF_K) && is_errno(s->installed[i].k))
            s->installed[i].k = SECCOMP_RET_USER_NOTIF;
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
    if (spec->unconfined && s->handler.n_calls == 0)
        return 0;
    int r =
        seccomp_program_get(spec, s->handler.calls, s->handler.n_calls, bryo_dir, &s->program, err);
    if (r < 0)
        return err_stage(err, STAGE_PRIVILEGES);
    tell_notes(spec, s->program.notes);
    transform(s);
    *ret = (struct sandbox_seccomp){.insns = s->installed,
                                    .n = (unsigned short)s->program.n,
                                    .flags = s->program.flags,
                                    .listener = seccomp_wants_listener(s->installed, s->program.n)};
    if (ret->listener && check_sendmsg(&s->program, err) < 0)
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
    (void)snprintf(path, sizeof(path), "/proc/%u/exe", req->pid);
    ssize_t n = readlink(path, exe, sizeof(exe));
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
    const struct seccomp_program *p = &s->program;
    struct seccomp_notif_resp resp = {.id = req->id, .error = -EPERM};
    uint32_t action = seccomp_eval(p->insns, p->n, &req->data);
    if (is_errno(action)) {
        resp.error = -(int)(action & SECCOMP_RET_DATA);
        tell(s, req, -resp.error);
    } else if (s->handler.handle) {
        if (s->handler.handle(s->handler.ctx, s->listener, req, &resp) != 0)
            return 0;
    }
    // ENOENT: whoever called is gone.
    (void)ioctl(s->listener, SECCOMP_IOCTL_NOTIF_SEND, &resp);
    return 0;
}

static int on_listener(void *ctx, uint32_t events)
{
    struct job_seccomp *s = ctx;
    // As large as this kernel wants it (SECCOMP_GET_NOTIF_SIZES); it has not grown since 5.0.
    union {
        struct seccomp_notif req;
        char room[512];
    } u = {0};
    if (!(events & EPOLLIN)) { // nobody is left under the filter
        loop_remove(s->loop, s->listener);
        return 0;
    }
    // EINTR, ENOENT: the caller was killed before it could be read.
    if (ioctl(s->listener, SECCOMP_IOCTL_NOTIF_RECV, &u.req) < 0)
        return errno == EINTR || errno == ENOENT || errno == EAGAIN ? 0 : -errno;
    return answer(s, &u.req);
}

static int start(void *ctx, struct loop *loop, struct supervisor *sup, struct err *err)
{
    struct job_seccomp *s = ctx;
    (void)sup, (void)err;
    s->loop = loop;
    return 0;
}

static int received(void *ctx, int tag, int fd)
{
    struct job_seccomp *s = ctx;
    if (tag != CHANNEL_TAG_SECCOMP || s->listener >= 0)
        return 0;
    s->listener = fd;
    int r = loop_add(s->loop, fd, EPOLLIN, on_listener, s);
    return r < 0 ? r : 1;
}

struct supervise_part job_seccomp_part(struct job_seccomp *s)
{
    return (struct supervise_part){.start = start, .received = received, .ctx = s};
}
