// SPDX-License-Identifier: Apache-2.0
#include "internal/run/supervise_priv.h"

#include "internal/base/buf.h"
#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/base/log.h"
#include "internal/base/loop.h"
#include "internal/base/proc.h"
#include "internal/base/sys.h"
#include "internal/job/result.h"
#include "internal/job/spec.h"
#include "internal/job/stage.h"
#include "internal/jobs/job_output.h"
#include "internal/sandbox/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define SETUP_US (UINT64_C(60) * 1000000)

static void fail(struct supervisor *s, int num, const char *text)
{
    if (s->result->err.num)
        return;
    (void)err_set(&s->result->err, num, "%s", text);
    (void)err_stage(&s->result->err, STAGE_SUPERVISE);
}

void supervisor_kill(struct supervisor *s)
{
    s->killed = true;
    // The end of PID 1 is the end of its PID namespace: the kernel kills what is in it, all of it.
    // Before it is known the stager is not killed: it could have brought PID 1 to life and not have
    // told yet. It has nothing to wait for; PID 1 is killed when it is told of.
    if (s->init_pidfd >= 0)
        (void)sys_pidfd_send_signal(s->init_pidfd, SIGKILL);
}

void supervisor_fail(struct supervisor *s, const struct err *err)
{
    if (!s->result->err.num)
        s->result->err = *err;
    supervisor_kill(s);
}

pid_t supervisor_init(const struct supervisor *s)
{
    return s->init;
}

int supervisor_tty(const struct supervisor *s)
{
    return s->output.master;
}

int supervisor_send(const struct supervisor *s, const struct channel_msg *msg, int fd)
{
    return channel_send(s->config->sandbox->channel, msg, fd);
}

static void on_output(void *ctx)
{
    struct supervisor *s = ctx;
    supervise_restart_stall_timer(s);
    for (size_t i = 0; i < s->config->n_parts; i++)
        if (s->config->parts[i].output)
            s->config->parts[i].output(s->config->parts[i].ctx);
}

static void on_output_end(void *ctx)
{
    struct supervisor *s = ctx;
    if (s->ended && !job_output_pending(&s->output))
        loop_stop(s->loop);
}

static int on_started(struct supervisor *s, int fd)
{
    const struct job_spec *spec = s->config->spec;
    s->started_us = loop_now_us();
    s->result->started = true;
    s->result->launch_us = s->started_us - s->config->start_us;
    supervise_start_deadline(s, 0);
    supervise_restart_stall_timer(s);
    if (fd >= 0 &&
        job_output_tty(&s->output, fd, spec->interactive && !spec->detach, &s->result->err) < 0)
        supervisor_kill(s);
    for (size_t i = 0; i < s->config->n_parts; i++)
        if (s->config->parts[i].job_started)
            s->config->parts[i].job_started(s->config->parts[i].ctx);
    s->config->on_started(s->config->ctx);
    return 0;
}

static int on_init_end(void *ctx, uint32_t events);

static int on_descriptor(struct supervisor *s, int tag, int *fd)
{
    for (size_t i = 0; i < s->config->n_parts; i++) {
        const struct supervise_part *part = &s->config->parts[i];
        int r = part->received ? part->received(part->ctx, tag, *fd) : 0;
        if (r > 0)
            (void)TAKE_FD(*fd);
        if (r != 0)
            return r < 0 ? r : 0;
    }
    return 0;
}

static int on_part_message(struct supervisor *s, const struct channel_msg *msg, int *fd)
{
    for (size_t i = 0; i < s->config->n_parts; i++) {
        const struct supervise_part *part = &s->config->parts[i];
        int r = part->message ? part->message(part->ctx, msg, fd) : 0;
        if (r != 0)
            return r < 0 ? r : 0;
    }
    return -EPROTO;
}

static int on_message(struct supervisor *s, const struct channel_msg *msg, int *fd)
{
    switch (msg->type) {
    case CHANNEL_INIT:
        s->init = msg->pid;
        s->init_pidfd = TAKE_FD(*fd);
        // A command that freezes its own cgroup may stop the job's init before that can say that
        // the command runs.
        supervise_start_deadline(s, SETUP_US);
        if (s->killed)
            supervisor_kill(s);
        return loop_add(s->loop, s->init_pidfd, EPOLLIN, on_init_end, s);
    case CHANNEL_NOTE:
        log_note("%s", msg->err.text);
        return 0;
    case CHANNEL_DESCRIPTOR:
        return on_descriptor(s, msg->tag, fd);
    case CHANNEL_STARTED:
        return on_started(s, TAKE_FD(*fd));
    case CHANNEL_EXITED:
        s->have_status = true;
        s->wait_status = msg->wait_status;
        s->result->wall_us = loop_now_us() - s->started_us;
        if (msg->alone)
            s->config->on_alone(s->config->ctx);
        return 0;
    case CHANNEL_FAILED:
        s->result->err = msg->err;
        return 0;
    case CHANNEL_EXEC_STARTED:
    case CHANNEL_EXEC_FAILED:
    case CHANNEL_EXEC_EXITED:
        return on_part_message(s, msg, fd);
    case CHANNEL_GO:
    case CHANNEL_EXEC:
    case CHANNEL_EXEC_STDIO:
    case CHANNEL_EXEC_SIGNAL:
        break;
    }
    return -EPROTO;
}

// Takes all messages that are there. The end of the stream is no success: what the outcome is, the
// messages before it have said, or nobody has.
static int drain_channel(struct supervisor *s)
{
    for (;;) {
        struct channel_msg msg;
        AUTO_FD int fd = -1;
        int r = channel_recv(s->config->sandbox->channel, MSG_DONTWAIT, &msg, &fd);
        if (r == -EAGAIN)
            return 0;
        if (r == 0)
            r = on_message(s, &msg, &fd);
        if (r < 0)
            return r;
    }
}

static int on_channel(void *ctx, uint32_t events)
{
    struct supervisor *s = ctx;
    (void)events;
    int r = drain_channel(s);
    if (r == 0)
        return 0;
    loop_remove(s->loop, s->config->sandbox->channel);
    if (r != -ECONNRESET) {
        fail(s, -r, "the job's init sent something that is no message");
        supervisor_kill(s);
    }
    if (!s->init)
        loop_stop(s->loop); // the stager ended without a word of PID 1
    return 0;
}

static int on_output_stuck(void *ctx)
{
    loop_stop(((struct supervisor *)ctx)->loop);
    return 0;
}

static int on_init_end(void *ctx, uint32_t events)
{
    struct supervisor *s = ctx;
    struct rusage usage;
    int status = 0;
    (void)events;
    (void)drain_channel(s); // its last words may still be in the socket
    loop_remove(s->loop, s->config->sandbox->channel);
    loop_remove(s->loop, s->init_pidfd);
    // PID 1 has reaped all that ever ran inside, so this is the usage of the whole job.
    if (wait4(s->init, &status, __WALL, &usage) == s->init)
        result_set_rusage(s->result, &usage);
    s->ended = true;
    for (size_t i = 0; i < s->config->n_parts; i++)
        if (s->config->parts[i].job_ended)
            s->config->parts[i].job_ended(s->config->parts[i].ctx);
    if (!s->have_status && !s->killed && WIFSIGNALED(status))
        fail(s, EIO,
             "the job's init was killed by another than bryo (the kernel, out of memory?); how "
             "the command would have ended is not known");
    if (!job_output_pending(&s->output))
        loop_stop(s->loop);
    else // a reader of bryo's that stopped reading holds bryo up for so long, and no longer
        (void)loop_at(s->loop, loop_now_us() + s->config->spec->grace_us, on_output_stuck, s);
    return 0;
}

// A stager that was killed (out of memory?) between PID 1's birth and telling of it leaves a PID 1
// that nobody can name. That one dies by its parent-death signal when bryo ends, which is now.
static int on_stager_end(void *ctx, uint32_t events)
{
    struct supervisor *s = ctx;
    (void)events;
    loop_remove(s->loop, s->config->sandbox->stager_pidfd);
    sandbox_reap_stager(s->config->sandbox); // no zombie for as long as the job runs
    if (!s->init)
        (void)on_channel(s, 0);
    if (!s->init)
        loop_stop(s->loop);
    return 0;
}

static int watch_all(struct supervisor *s)
{
    const struct supervise_config *c = s->config;
    int r = loop_new(&s->loop);
    s->sigfd = signalfd(-1, c->signals, SFD_CLOEXEC | SFD_NONBLOCK);
    if (r == 0 && s->sigfd < 0)
        r = -errno;
    if (r == 0)
        r = loop_add(s->loop, s->sigfd, EPOLLIN, supervise_on_signal, s);
    if (r == 0)
        r = loop_add(s->loop, c->sandbox->channel, EPOLLIN, on_channel, s);
    if (r == 0)
        r = loop_add(s->loop, c->sandbox->stager_pidfd, EPOLLIN, on_stager_end, s);
    s->output.loop = s->loop;
    s->output.passed = on_output;
    s->output.ended = on_output_end;
    s->output.ctx = s;
    s->output.goes_on = c->spec->detach;
    s->output.pipes = c->output;
    s->output.filters[0] = c->filters[0];
    s->output.filters[1] = c->filters[1];
    if (r == 0)
        r = job_output_start(&s->output, &s->result->err);
    for (size_t i = 0; r == 0 && i < c->n_parts; i++)
        if (c->parts[i].start)
            r = c->parts[i].start(c->parts[i].ctx, s->loop, s, &s->result->err);
    return r;
}

static void decide(struct supervisor *s)
{
    struct job_result *r = s->result;
    if (r->err.num) {
        r->outcome = OUTCOME_FAILED;
    } else if (s->abort_with) {
        r->outcome = OUTCOME_SIGNAL;
        r->signal = s->abort_with;
    } else if (r->outcome == OUTCOME_TIMEOUT || r->outcome == OUTCOME_STALLED) {
        return;
    } else if (s->have_status && WIFEXITED(s->wait_status)) {
        r->outcome = OUTCOME_EXITED;
        r->status = WEXITSTATUS(s->wait_status);
    } else if (s->have_status && WIFSIGNALED(s->wait_status)) {
        r->outcome = OUTCOME_SIGNAL;
        r->signal = WTERMSIG(s->wait_status);
        r->core_dumped = WCOREDUMP(s->wait_status);
    } else if (r->started && s->killed) {
        r->outcome = OUTCOME_SIGNAL;
        r->signal = SIGKILL;
    } else {
        fail(s, ECONNRESET, "the process that sets up the job ended without saying why");
        r->outcome = OUTCOME_FAILED;
    }
    if (r->started && !r->wall_us)
        r->wall_us = loop_now_us() - s->started_us;
}

static void finish(struct supervisor *s)
{
    job_output_done(&s->output);
    fd_closep(&s->init_pidfd);
    fd_closep(&s->sigfd);
    loop_free(s->loop);
}

// The loop broke, or could not even be made, or the stager ended before PID 1 was told of: nothing
// may stay behind.
static void abandon(struct supervisor *s)
{
    int status;
    supervisor_kill(s);
    sandbox_reap_stager(s->config->sandbox); // from here on PID 1 has been told of
    while (s->init <= 0) {
        struct channel_msg msg;
        AUTO_FD int fd = -1;
        if (channel_recv(s->config->sandbox->channel, MSG_DONTWAIT, &msg, &fd) < 0)
            return;
        if (msg.type == CHANNEL_INIT) {
            s->init = msg.pid;
            s->init_pidfd = TAKE_FD(fd);
            supervisor_kill(s);
        }
    }
    (void)proc_wait(s->init, &status);
}

void supervise(const struct supervise_config *config, struct job_result *result)
{
    struct supervisor s = {.config = config,
                           .result = result,
                           .init_pidfd = -1,
                           .sigfd = -1,
                           .output = JOB_OUTPUT_NONE};
    int r = watch_all(&s);
    if (r == 0)
        r = loop_run(s.loop);
    if (r < 0 && !result->err.num) {
        (void)err_sys(&result->err, -r, "cannot watch over the job");
        (void)err_stage(&result->err, STAGE_SUPERVISE);
    }
    if (!s.ended)
        abandon(&s);
    decide(&s);
    finish(&s);
}
