// SPDX-License-Identifier: Apache-2.0
#include "internal/sandbox/guest_execs.h"

#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/job/stage.h"
#include "internal/sandbox/channel.h"
#include "internal/sandbox/exec_wire.h"
#include "internal/sandbox/guest_command.h"
#include "internal/sandbox/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

void guest_execs_init(struct guest_execs *e, const struct sandbox_config *config, int chan)
{
    *e = (struct guest_execs){.config = config, .chan = chan, .stdio = {-1, -1, -1}};
}

static void forget_stdio(struct guest_execs *e)
{
    for (int i = 0; i < 3; i++)
        fd_closep(&e->stdio[i]);
}

// The job's own configuration, but for what belongs to one command.
static struct sandbox_config config_of(const struct guest_execs *e, const struct exec_request *q)
{
    struct sandbox_config c = *e->config;
    c.argv = q->argv;
    c.envp = q->envp;
    c.path = q->path ? q->path : e->config->path;
    c.workdir = q->workdir;
    c.uid = q->uid;
    c.gid = q->gid;
    c.groups = q->groups;
    c.n_groups = q->n_groups;
    c.n_preserve_fds = 0;
    c.tty = q->tty;
    c.winsize = q->winsize;
    for (int i = 0; i < 3; i++)
        c.stdio[i] = e->stdio[i];
    return c;
}

static int start(struct guest_execs *e, const struct exec_request *q, struct guest_tty *tty,
                 pid_t *ret, struct err *err)
{
    struct sandbox_config c = config_of(e, q);
    if (q->tty) {
        AUTO_FD int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        int r = guest_tty_open_more(root, &c, tty, err);
        if (r < 0)
            return r;
    }
    struct guest_command command;
    int r = guest_command_bear(&c, NULL, e->chan, &command, err);
    if (r == 0)
        r = guest_command_start(&command, tty, err);
    *ret = command.pid;
    return r;
}

static int place_for(struct guest_execs *e, struct err *err)
{
    for (int i = 0; i < GUEST_EXECS_MAX; i++)
        if (e->running[i].pid == 0)
            return i;
    return err_set(err, EAGAIN, "%d further commands run in the job already", GUEST_EXECS_MAX);
}

static int start_mapped(struct guest_execs *e, int memfd, int tag, struct guest_tty *tty,
                        struct err *err)
{
    struct stat st;
    struct exec_request q;
    int at = place_for(e, err);
    if (at < 0)
        return at;
    if (fstat(memfd, &st) < 0 || st.st_size <= 0)
        return err_set(err, EPROTO, "the command did not reach the job's init");
    size_t n = (size_t)st.st_size;
    void *block = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE, memfd, 0);
    if (block == MAP_FAILED)
        return err_sys(err, errno, "the job's init cannot read the command");
    int r = exec_wire_unpack(block, n, &q);
    if (r < 0)
        (void)err_set(err, EPROTO, "the command did not reach the job's init");
    else
        r = start(e, &q, tty, &e->running[at].pid, err);
    e->running[at].tag = tag;
    if (r < 0)
        e->running[at].pid = 0;
    (void)munmap(block, n);
    return r;
}

static void on_exec(struct guest_execs *e, const struct channel_msg *msg, int memfd)
{
    struct guest_tty tty = {.master = -1, .slave = -1};
    struct channel_msg reply = {.type = CHANNEL_EXEC_STARTED, .tag = msg->tag};
    if (start_mapped(e, memfd, msg->tag, &tty, &reply.err) < 0) {
        reply.type = CHANNEL_EXEC_FAILED;
        (void)err_stage(&reply.err, STAGE_EXEC);
        fd_closep(&tty.master);
    }
    (void)channel_send(e->chan, &reply, tty.master);
    fd_closep(&tty.master);
    fd_closep(&tty.slave);
    forget_stdio(e);
}

static void on_signal(struct guest_execs *e, const struct channel_msg *msg)
{
    if (msg->tag == 0) {
        (void)kill(-1, msg->wait_status); // every process of the namespace but this one
        return;
    }
    for (int i = 0; i < GUEST_EXECS_MAX; i++) {
        pid_t pid = e->running[i].pid;
        // Its session is its own, so this is its process group too.
        if (pid > 0 && e->running[i].tag == msg->tag && kill(-pid, msg->wait_status) < 0)
            (void)kill(pid, msg->wait_status);
    }
}

int guest_execs_message(struct guest_execs *e)
{
    struct channel_msg msg;
    AUTO_FD int fd = -1;
    int r = channel_recv(e->chan, 0, &msg, &fd);
    if (r < 0)
        return r;
    if (msg.type == CHANNEL_EXEC_STDIO && msg.wait_status >= 0 && msg.wait_status <= 2) {
        fd_closep(&e->stdio[msg.wait_status]);
        e->stdio[msg.wait_status] = TAKE_FD(fd);
    } else if (msg.type == CHANNEL_EXEC) {
        on_exec(e, &msg, fd);
    } else if (msg.type == CHANNEL_EXEC_SIGNAL) {
        on_signal(e, &msg);
    } else {
        return -EPROTO;
    }
    return 0;
}

void guest_execs_reaped(struct guest_execs *e, pid_t pid, int wait_status)
{
    for (int i = 0; i < GUEST_EXECS_MAX; i++) {
        if (e->running[i].pid != pid)
            continue;
        e->running[i].pid = 0;
        struct channel_msg msg = {
            .type = CHANNEL_EXEC_EXITED, .tag = e->running[i].tag, .wait_status = wait_status};
        (void)channel_send(e->chan, &msg, -1);
    }
}
