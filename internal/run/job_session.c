// SPDX-License-Identifier: Apache-2.0
// bryo exec and bryo attach: this process stands between the user's terminal and a job that another
// bryo supervises.
#include "internal/base/buf.h"
#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/base/fd.h"
#include "internal/base/log.h"
#include "internal/base/loop.h"
#include "internal/jobs/control_wire.h"
#include "internal/jobs/job_client.h"
#include "internal/jobs/job_log.h"
#include "internal/jobs/job_output.h"
#include "internal/jobs/jobs.h"
#include "internal/run/exec_guard.h"
#include "internal/run/supervise.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

// How often it is looked whether all that a command wrote has been carried.
#define FINISH_US 10000

struct session {
    int sock;
    int sigfd;
    struct loop *loop;
    struct job_output output;
    struct job_log *log; // attach: what is printed
    struct exec_guard guard;
    bool interactive;
    bool signals; // are handed on
    void (*started)(void *ctx);
    void *ctx;
    bool over;
    bool left; // by Ctrl-P Ctrl-Q, or a signal that is not handed on
    int status;
    struct err *err;
};

static int exit_status_of(int wait_status)
{
    return WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : 128 + WTERMSIG(wait_status);
}

static void maybe_stop(struct session *s)
{
    if (s->over && !job_output_pending(&s->output))
        loop_stop(s->loop);
}

static void on_output(void *ctx)
{
    (void)ctx;
}

static void on_output_end(void *ctx)
{
    maybe_stop(ctx);
}

// The job goes on.
static void on_left(void *ctx)
{
    struct session *s = ctx;
    s->left = true;
    loop_stop(s->loop);
}

// A terminal's master says EIO by itself, once nobody has its slave.
static int finish_output(void *ctx)
{
    struct session *s = ctx;
    job_output_finish(&s->output);
    if (job_output_pending(&s->output))
        (void)loop_at(s->loop, loop_now_us() + FINISH_US, finish_output, s);
    return 0;
}

static void end(struct session *s, int status)
{
    s->over = true;
    s->status = status;
    exec_guard_ended(&s->guard);
    if (s->guard.read[0] >= 0)
        (void)finish_output(s);
    if (s->log)
        (void)job_log_print(s->log);
    maybe_stop(s);
}

static int on_message(struct session *s, const struct control_msg *msg, int *fd)
{
    switch (msg->type) {
    case CONTROL_STARTED:
        if (s->started)
            s->started(s->ctx);
        return *fd >= 0 ? job_output_tty(&s->output, TAKE_FD(*fd), s->interactive, s->err) : 0;
    case CONTROL_FD: // none: the job reads nothing
        s->output.left = msg->tty ? on_left : NULL;
        return *fd >= 0 ? job_output_input(&s->output, TAKE_FD(*fd), msg->tty, s->err) : 0;
    case CONTROL_FAILED:
        *s->err = msg->err;
        return -msg->err.num;
    case CONTROL_EXITED:
        end(s, exit_status_of(msg->number));
        return 0;
    case CONTROL_ENDED:
        if (!s->over)
            end(s, s->log ? msg->number : 128 + SIGKILL);
        return 0;
    default:
        return 0;
    }
}

static int on_socket(void *ctx, uint32_t events)
{
    struct session *s = ctx;
    struct control_msg msg;
    int fds[CONTROL_FDS];
    (void)events;
    int r = control_recv(s->sock, MSG_DONTWAIT, &msg, NULL, fds);
    if (r == -EAGAIN)
        return 0;
    if (r < 0) {
        loop_remove(s->loop, s->sock);
        return s->over ? 0 : err_set(s->err, ECONNRESET, "the bryo that runs the job is gone");
    }
    r = on_message(s, &msg, &fds[0]);
    for (int i = 0; i < CONTROL_FDS; i++)
        fd_closep(&fds[i]);
    return r;
}

static int on_signal(void *ctx, uint32_t events)
{
    struct session *s = ctx;
    struct signalfd_siginfo info;
    (void)events;
    if (read(s->sigfd, &info, sizeof(info)) != (ssize_t)sizeof(info))
        return 0;
    struct control_msg msg = {.type = CONTROL_SIGNAL, .number = (int)info.ssi_signo};
    if (msg.number == SIGWINCH && job_output_resize(&s->output))
        return 0;
    if (s->log && msg.number == SIGHUP) // one whose terminal goes away only stops looking
        loop_stop(s->loop);
    else if (!s->signals)
        on_left(s);
    else
        (void)control_send(s->sock, MSG_DONTWAIT, &msg, NULL, NULL, 0);
    return 0;
}

static int prepare(struct session *s, int *pipes)
{
    sigset_t signals;
    struct err *err = s->err;
    int r = supervise_block_signals(&signals, err);
    if (r < 0)
        return r;
    s->sigfd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
    r = s->sigfd < 0 ? -errno : loop_new(&s->loop);
    s->output.loop = s->loop;
    s->output.passed = on_output;
    s->output.ended = on_output_end;
    s->output.ctx = s;
    s->output.pipes = pipes;
    if (r == 0)
        r = loop_add(s->loop, s->sigfd, EPOLLIN, on_signal, s);
    if (r == 0)
        r = loop_add(s->loop, s->sock, EPOLLIN, on_socket, s);
    return r < 0 ? err_sys(err, -r, "cannot watch over the session") : 0;
}

static int finish(struct session *s, int r, int *ret_status)
{
    job_output_done(&s->output);
    exec_guard_done(&s->guard);
    fd_closep(&s->sigfd);
    loop_free(s->loop);
    exec_guard_leave(&s->guard); // last: it may clone this process
    *ret_status = s->status;
    return r;
}

// What must not show is known to the job's bryo. Before the loop runs: there is nothing to wait
// for.
static int ask_guard(struct session *s, bool tty)
{
    struct control_msg msg = {.type = CONTROL_GUARD};
    struct err *err = s->err;
    int fds[CONTROL_FDS] = {-1, -1, -1};
    int r = control_send(s->sock, 0, &msg, NULL, NULL, 0);
    if (r == 0)
        r = control_recv(s->sock, 0, &msg, NULL, fds);
    if (r < 0)
        return err_sys(err, -r, "the bryo that runs the job does not answer");
    AUTO_FD int fd = fds[0];
    if (msg.type == CONTROL_ENDED)
        return err_set(err, ESRCH, "the job has ended");
    if (msg.type == CONTROL_FAILED)
        *err = msg.err;
    if (msg.type == CONTROL_FAILED || fd < 0)
        return -msg.err.num;
    r = exec_guard_take(&s->guard, fd, tty, err);
    for (int i = 0; i < 2; i++)
        s->output.filters[i] = s->guard.guard.filter[i];
    return r;
}

// out: takes what the command prints; -1: bryo's own 1 and 2 do.
static int send_exec(struct session *s, const struct control_msg *msg, const char *text, int in,
                     int out)
{
    const int fds[] = {in,
                       out >= 0      ? out
                       : s->guard.on ? s->guard.write[0]
                                     : STDOUT_FILENO,
                       out >= 0      ? out
                       : s->guard.on ? s->guard.write[1]
                                     : STDERR_FILENO};
    int r = control_send(s->sock, 0, msg, text, fds, msg->tty ? 0 : 3);
    for (int i = 0; i < 2; i++)
        fd_closep(&s->guard.write[i]);
    return r < 0 ? err_sys(s->err, -r, "the bryo that runs the job does not listen") : 0;
}

int job_client_exec(const struct job_info *job, const struct control_exec *e,
                    const struct exec_how *how, int *ret_status, struct err *err)
{
    AUTO_BUF struct buf text = {0};
    AUTO_FD int sock = job_client_connect(job, err);
    AUTO_FD int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (sock < 0)
        return sock;
    struct session s = {.sock = sock,
                        .sigfd = -1,
                        .output = JOB_OUTPUT_NONE,
                        .guard = EXEC_GUARD_NONE,
                        .interactive = how->interactive,
                        .signals = true,
                        .started = how->started,
                        .ctx = how->ctx,
                        .err = err};
    struct control_msg msg = {.type = CONTROL_EXEC,
                              .tty = how->tty,
                              .winsize = how->tty ? host_tty_size() : (struct winsize){0}};
    control_exec_format(e, &text);
    if (text.len + sizeof(msg) > CONTROL_MAX)
        return err_set(err, E2BIG, "the command and its environment are too long for exec");
    int r = ask_guard(&s, how->tty);
    if (r == 0)
        r = prepare(&s, s.guard.read);
    if (r == 0)
        r = send_exec(&s, &msg, buf_str(&text), how->interactive ? STDIN_FILENO : null,
                      how->silent ? null : -1);
    if (r == 0)
        r = job_output_start(&s.output, err);
    if (r == 0)
        r = loop_run(s.loop);
    return finish(&s, r, ret_status);
}

int job_client_attach(const struct job_info *job, bool input, bool signals, int *ret_status,
                      struct err *err)
{
    struct control_msg msg = {.type = CONTROL_INPUT};
    struct job_log log = JOB_LOG_NONE;
    int none[2] = {-1, -1};
    AUTO_FD int sock = job_client_connect(job, err);
    if (sock < 0)
        return sock;
    struct session s = {.sock = sock,
                        .sigfd = -1,
                        .output = JOB_OUTPUT_NONE,
                        .log = &log,
                        .guard = EXEC_GUARD_NONE,
                        .interactive = true,
                        .signals = signals,
                        .err = err};
    const struct job_log_view from_now = {.until_us = UINT64_MAX};
    int r = job_log_open(&log, job, &from_now, err);
    if (r == 0)
        r = prepare(&s, none);
    if (r == 0)
        r = job_log_follow(&log, s.loop, err);
    if (r == 0 && input && (r = control_send(sock, 0, &msg, NULL, NULL, 0)) < 0)
        r = err_sys(err, -r, "the bryo that runs the job does not listen");
    if (r == 0)
        r = loop_run(s.loop);
    job_log_close(&log);
    r = finish(&s, r, ret_status);
    if (s.left && fd_write_all(STDERR_FILENO, "\n", 1) == 0)
        log_note("the job %s goes on", job->record.id);
    return r;
}
