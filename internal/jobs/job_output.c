// SPDX-License-Identifier: Apache-2.0
#include "internal/jobs/job_output.h"

#include "internal/base/buf.h"
#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/job/stage.h"
#include "internal/jobs/relay.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

bool job_output_pending(const struct job_output *o)
{
    return (o->relays[RELAY_OUT] && o->relays[RELAY_OUT]->active) ||
           (o->relays[RELAY_ERR] && o->relays[RELAY_ERR]->active);
}

void job_output_finish(struct job_output *o)
{
    for (int i = RELAY_OUT; i <= RELAY_ERR; i++)
        if (o->relays[i])
            relay_finish(o->relays[i]);
}

// Nobody reads bryo's output any more (or no one inside writes): the job finds out as it would if
// it wrote there itself, by SIGPIPE, or by the hang-up of its terminal.
static void close_ended(struct job_output *o)
{
    for (int i = RELAY_OUT; i <= RELAY_ERR; i++)
        if (o->relays[i] && !o->relays[i]->active)
            fd_closep(&o->pipes[i]);
    if (o->relays[RELAY_IN])
        relay_stop(o->relays[RELAY_IN]);
    fd_closep(&o->master_in);
    fd_closep(&o->master);
}

static void on_output(void *ctx, bool ended)
{
    struct job_output *o = ctx;
    if (!ended) {
        o->passed(o->ctx);
        return;
    }
    close_ended(o);
    o->ended(o->ctx);
}

static void on_input(void *ctx, bool ended)
{
    struct job_output *o = ctx;
    static const char eot = 4; // what a terminal makes of an end of input (VEOF)
    if (ended && o->master >= 0) {
        ssize_t n = write(o->master, &eot, 1);
        (void)n;
    }
}

static void on_leave(void *ctx)
{
    struct job_output *o = ctx;
    o->left(o->ctx);
}

static int start_relay(struct job_output *o, enum job_relay which, int from, int to, relay_fn *fn,
                       struct err *err)
{
    o->relays[which] = mem_alloc(sizeof(struct relay));
    o->relays[which]->filter = which == RELAY_IN ? NULL : o->filters[which];
    o->relays[which]->goes_on = which != RELAY_IN && o->goes_on;
    o->relays[which]->leave = which == RELAY_IN && o->left ? on_leave : NULL;
    int r = relay_start(o->relays[which], o->loop, from, to, fn, o);
    if (r == 0)
        return 0;
    (void)err_set(err, -r, "cannot carry the job's output");
    return err_stage(err, STAGE_SUPERVISE);
}

int job_output_start(struct job_output *o, struct err *err)
{
    int r = 0;
    if (o->pipes[0] >= 0)
        r = start_relay(o, RELAY_OUT, o->pipes[0], STDOUT_FILENO, on_output, err);
    if (r == 0 && o->pipes[1] >= 0)
        r = start_relay(o, RELAY_ERR, o->pipes[1], STDERR_FILENO, on_output, err);
    return r;
}

int job_output_tty(struct job_output *o, int master, bool interactive, struct err *err)
{
    o->master = master;
    int r = start_relay(o, RELAY_OUT, master, STDOUT_FILENO, on_output, err);
    if (r == 0 && interactive) {
        o->master_in = fcntl(master, F_DUPFD_CLOEXEC, 3);
        r = host_tty_raw(&o->tty, err);
        if (r == 0)
            r = start_relay(o, RELAY_IN, STDIN_FILENO, o->master_in, on_input, err);
    }
    return r;
}

static void on_plain_input(void *ctx, bool ended)
{
    struct job_output *o = ctx;
    if (ended)
        fd_closep(&o->master_in);
}

int job_output_input(struct job_output *o, int to, bool tty, struct err *err)
{
    o->master_in = to;
    if (tty) {
        o->master = fcntl(to, F_DUPFD_CLOEXEC, 3);
        int r = host_tty_raw(&o->tty, err);
        if (r < 0)
            return r;
        (void)job_output_resize(o);
    }
    return start_relay(o, RELAY_IN, STDIN_FILENO, to, tty ? on_input : on_plain_input, err);
}

bool job_output_resize(struct job_output *o)
{
    struct winsize ws = host_tty_size();
    if (o->master < 0 || !ws.ws_row)
        return false;
    (void)ioctl(o->master, TIOCSWINSZ, &ws); // tells the job by a SIGWINCH of its own
    return true;
}

void job_output_done(struct job_output *o)
{
    host_tty_restore(&o->tty);
    for (int i = 0; i < RELAYS; i++) {
        if (o->relays[i])
            relay_stop(o->relays[i]);
        free(o->relays[i]);
        o->relays[i] = NULL;
    }
    fd_closep(&o->master);
    fd_closep(&o->master_in);
}
