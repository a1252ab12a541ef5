// SPDX-License-Identifier: Apache-2.0
// How a job is made to end: by a signal that bryo gets, by another bryo, by a deadline, by its
// silence. It is asked first; after the grace, all of it is killed.
#include "internal/base/loop.h"
#include "internal/base/sys.h"
#include "internal/job/result.h"
#include "internal/job/spec.h"
#include "internal/run/supervise_priv.h"

#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

static bool asks_to_end(int sig)
{
    return sig == SIGINT || sig == SIGTERM || sig == SIGHUP || sig == SIGQUIT;
}

void supervisor_signal(struct supervisor *s, const struct signal_sender *from)
{
    bool ends = from->sig == SIGKILL || asks_to_end(from->sig);
    for (size_t i = 0; ends && i < s->config->n_parts; i++)
        if (s->config->parts[i].signalled)
            s->config->parts[i].signalled(s->config->parts[i].ctx, from);
    if (ends && !s->result->started)
        s->abort_with = from->sig;
    if (from->sig == SIGKILL || s->abort_with)
        supervisor_kill(s);
    else
        (void)sys_pidfd_send_signal(s->init_pidfd, from->sig);
}

static int on_grace_over(void *ctx)
{
    struct supervisor *s = ctx;
    for (size_t i = 0; i < s->config->n_parts; i++)
        if (s->config->parts[i].grace_over)
            s->config->parts[i].grace_over(s->config->parts[i].ctx, s->init);
    supervisor_kill(s);
    return 0;
}

static void start_grace(struct supervisor *s)
{
    if (s->grace_timer)
        return;
    s->grace_timer = loop_at(s->loop, loop_now_us() + s->config->spec->grace_us, on_grace_over, s);
}

static void tell_asked(const struct supervisor *s, const struct signalfd_siginfo *from)
{
    for (size_t i = 0; i < s->config->n_parts; i++)
        if (s->config->parts[i].asked_to_end)
            s->config->parts[i].asked_to_end(s->config->parts[i].ctx, s->init, from);
}

// Asks the command to end; after the grace everything inside is killed.
static void ask_to_end(struct supervisor *s, int sig, const struct signalfd_siginfo *from)
{
    tell_asked(s, from);
    (void)sys_pidfd_send_signal(s->init_pidfd, sig);
    start_grace(s);
}

static int on_timeout(void *ctx)
{
    struct supervisor *s = ctx;
    if (s->have_status)
        return 0;
    s->result->outcome = OUTCOME_TIMEOUT;
    ask_to_end(s, SIGTERM, NULL);
    return 0;
}

void supervise_start_deadline(struct supervisor *s, uint64_t setup_us)
{
    uint64_t timeout = s->config->spec->timeout_us;
    if (!timeout)
        return;
    loop_cancel(s->loop, s->deadline);
    s->deadline = loop_at(s->loop, loop_now_us() + timeout + setup_us, on_timeout, s);
}

static int on_stall(void *ctx)
{
    struct supervisor *s = ctx;
    if (s->have_status || s->result->outcome == OUTCOME_TIMEOUT)
        return 0;
    s->result->outcome = OUTCOME_STALLED;
    ask_to_end(s, SIGTERM, NULL);
    return 0;
}

void supervise_restart_stall_timer(struct supervisor *s)
{
    uint64_t after = s->config->spec->stall_timeout_us;
    if (!after)
        return;
    loop_cancel(s->loop, s->stall_timer);
    s->stall_timer = loop_at(s->loop, loop_now_us() + after, on_stall, s);
}

int supervise_on_signal(void *ctx, uint32_t events)
{
    struct supervisor *s = ctx;
    struct signalfd_siginfo info;
    (void)events;
    if (read(s->sigfd, &info, sizeof(info)) != (ssize_t)sizeof(info))
        return 0;
    int sig = (int)info.ssi_signo;
    if (sig == SIGWINCH) {
        if (!job_output_resize(&s->output) && s->init_pidfd >= 0)
            (void)sys_pidfd_send_signal(s->init_pidfd, SIGWINCH);
    } else if (!s->result->started) {
        if (asks_to_end(sig)) {
            s->abort_with = sig;
            tell_asked(s, &info);
            supervisor_kill(s);
        }
    } else if (asks_to_end(sig)) {
        ask_to_end(s, sig, &info);
    } else {
        (void)sys_pidfd_send_signal(s->init_pidfd, sig);
    }
    return 0;
}
