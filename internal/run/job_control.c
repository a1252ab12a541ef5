// SPDX-License-Identifier: Apache-2.0
#include "internal/run/job_control.h"

#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/base/fd.h"
#include "internal/base/loop.h"
#include "internal/job/stage.h"
#include "internal/jobs/control_wire.h"
#include "internal/sandbox/channel.h"
#include "internal/sandbox/exec_wire.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

void job_control_init(struct job_control *c)
{
    *c = (struct job_control){.listener = -1, .input = -1};
    for (int i = 0; i < CONTROL_CLIENTS; i++)
        c->clients[i].sock = -1;
}

static void answer(const struct control_client *client, const struct control_msg *msg, int fd)
{
    if (client->sock >= 0) // one who does not listen misses it
        (void)control_send(client->sock, MSG_DONTWAIT, msg, NULL, &fd, fd >= 0);
}

static void refuse(const struct control_client *client, const struct err *err)
{
    struct control_msg msg = {.type = CONTROL_FAILED, .err = *err};
    answer(client, &msg, -1);
}

// --- a command in the job
// -----------------------------------------------------------------------------

static int send_block(const struct job_control *c, int tag, const struct exec_request *q)
{
    AUTO_BUF struct buf block = {0};
    exec_wire_pack(q, &block);
    AUTO_FD int memfd = memfd_create("bryo-exec", MFD_CLOEXEC);
    int r = memfd < 0 ? -errno : fd_write_all(memfd, block.data, block.len);
    struct channel_msg msg = {.type = CHANNEL_EXEC, .tag = tag};
    return r < 0 ? r : supervisor_send(c->supervisor, &msg, memfd);
}

static int send_stdio(const struct job_control *c, const int *fds)
{
    int r = 0;
    for (int i = 0; r == 0 && i < CONTROL_FDS; i++) {
        struct channel_msg msg = {.type = CHANNEL_EXEC_STDIO, .wait_status = i};
        if (fds[i] >= 0)
            r = supervisor_send(c->supervisor, &msg, fds[i]);
    }
    return r;
}

static int start(struct control_client *client, const struct control_msg *msg,
                 const struct control_exec *e, const int *fds, struct err *err)
{
    struct job_control *c = client->control;
    struct exec_request q = {0};
    int r = c->resolve(c->ctx, e, &q, err);
    if (r < 0)
        return r;
    q.tty = msg->tty;
    q.winsize = msg->winsize;
    client->tag = ++c->last_tag;
    r = msg->tty ? 0 : send_stdio(c, fds);
    if (r == 0)
        r = send_block(c, client->tag, &q);
    if (r < 0)
        (void)err_sys(err, -r, "the job's init does not listen");
    c->release(c->ctx);
    return r;
}

static void on_exec(struct control_client *client, const struct control_msg *msg, const char *text,
                    const int *fds)
{
    AUTO_CONTROL_EXEC struct control_exec e = {0};
    struct err err = {0};
    int r = client->tag || control_exec_parse(text, &e) < 0
                ? err_set(&err, EPROTO, "the request makes no sense: is that the bryo of this job?")
                : start(client, msg, &e, fds, &err);
    if (r < 0) {
        (void)err_stage(&err, STAGE_EXEC);
        client->tag = 0;
        refuse(client, &err);
    }
}

// What cannot be said is not passed over: the command would print what is to be hidden.
static void on_guard(struct control_client *client)
{
    const struct job_control *c = client->control;
    const struct control_msg reply = {.type = CONTROL_FD};
    struct err err = {0};
    AUTO_FD int fd = c->guard(c->ctx);
    if (fd >= 0 || fd == -ENOENT) {
        answer(client, &reply, fd);
        return;
    }
    (void)err_sys(&err, -fd, "cannot hand over what the output must not show");
    refuse(client, &err);
}

static void signal_command(const struct control_client *client, int sig)
{
    struct channel_msg msg = {.type = CHANNEL_EXEC_SIGNAL, .tag = client->tag, .wait_status = sig};
    if (sig > 0 && sig < NSIG)
        (void)supervisor_send(client->control->supervisor, &msg, -1);
}

// The command that this connection started, or the job.
static void on_signal(const struct control_client *client, int sig)
{
    if (client->tag || sig == SIGSTOP || sig == SIGCONT)
        signal_command(client, sig);
    else if (sig > 0 && sig < NSIG)
        supervisor_signal(client->control->supervisor,
                          &(struct signal_sender){sig, client->pid, client->uid});
}

// --- clients
// ------------------------------------------------------------------------------------------

// The command of one who went away is of use to nobody.
static void drop(struct control_client *client)
{
    if (client->tag)
        signal_command(client, SIGKILL);
    loop_remove(client->control->loop, client->sock);
    fd_closep(&client->sock);
    client->tag = 0;
}

static void on_request(struct control_client *client, const struct control_msg *msg,
                       const char *text, const int *fds)
{
    struct job_control *c = client->control;
    struct control_msg reply = {.type = CONTROL_FD};
    int tty = supervisor_tty(c->supervisor);
    switch (msg->type) {
    case CONTROL_INPUT:
        reply.tty = tty >= 0;
        answer(client, &reply, tty >= 0 ? tty : c->input);
        break;
    case CONTROL_GUARD:
        on_guard(client);
        break;
    case CONTROL_EXEC:
        on_exec(client, msg, text, fds);
        break;
    case CONTROL_SIGNAL:
        on_signal(client, msg->number);
        reply.type = CONTROL_DONE;
        answer(client, &reply, -1);
        break;
    default:
        break;
    }
}

static int on_client(void *ctx, uint32_t events)
{
    struct control_client *client = ctx;
    AUTO_BUF struct buf text = {0};
    struct control_msg msg;
    int fds[CONTROL_FDS];
    (void)events;
    int r = control_recv(client->sock, MSG_DONTWAIT, &msg, &text, fds);
    if (r == -EAGAIN)
        return 0;
    if (r < 0)
        drop(client);
    else
        on_request(client, &msg, buf_str(&text), fds);
    for (int i = 0; i < CONTROL_FDS; i++)
        fd_closep(&fds[i]);
    return 0;
}

static int on_connection(void *ctx, uint32_t events)
{
    struct job_control *c = ctx;
    struct ucred peer;
    socklen_t n = sizeof(peer);
    (void)events;
    AUTO_FD int sock = accept4(c->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    // The directory is the user's alone; this is for the day when it is not.
    if (sock < 0 || getsockopt(sock, SOL_SOCKET, SO_PEERCRED, &peer, &n) < 0 ||
        peer.uid != geteuid())
        return 0;
    for (int i = 0; i < CONTROL_CLIENTS; i++) {
        struct control_client *client = &c->clients[i];
        if (client->sock >= 0)
            continue;
        *client =
            (struct control_client){.sock = sock, .control = c, .pid = peer.pid, .uid = peer.uid};
        if (loop_add(c->loop, sock, EPOLLIN, on_client, client) < 0)
            client->sock = -1;
        else
            (void)TAKE_FD(sock);
        break;
    }
    return 0;
}

// By /proc/self/fd, since an address of AF_UNIX has room for 107 bytes of path.
int job_control_open(struct job_control *c, const struct job_dir *dir, struct loop *loop,
                     struct supervisor *s, struct err *err)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    (void)snprintf(addr.sun_path, sizeof(addr.sun_path), "/proc/self/fd/%d/%s", dir->fd,
                   JOBS_CONTROL);
    AUTO_FD int sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    c->loop = loop;
    c->supervisor = s;
    if (sock < 0 || bind(sock, (struct sockaddr *)&addr, sizeof(addr)) < 0 ||
        listen(sock, CONTROL_CLIENTS) < 0 || loop_add(loop, sock, EPOLLIN, on_connection, c) < 0) {
        (void)err_sys(err, errno, "cannot listen in %s", dir->path);
        return err_stage(err, STAGE_SUPERVISE);
    }
    c->listener = TAKE_FD(sock);
    return 0;
}

int job_control_message(struct job_control *c, const struct channel_msg *msg, int *fd)
{
    struct control_msg reply = {.number = msg->wait_status, .err = msg->err};
    switch (msg->type) {
    case CHANNEL_EXEC_STARTED:
        reply.type = CONTROL_STARTED;
        reply.tty = *fd >= 0;
        break;
    case CHANNEL_EXEC_FAILED:
        reply.type = CONTROL_FAILED;
        break;
    case CHANNEL_EXEC_EXITED:
        reply.type = CONTROL_EXITED;
        break;
    default:
        return 0;
    }
    for (int i = 0; i < CONTROL_CLIENTS; i++) {
        if (c->clients[i].sock < 0 || c->clients[i].tag != msg->tag)
            continue;
        answer(&c->clients[i], &reply, *fd);
        if (reply.type != CONTROL_STARTED)
            c->clients[i].tag = 0;
    }
    return 1;
}

void job_control_end(struct job_control *c, int exit_status)
{
    struct control_msg msg = {.type = CONTROL_ENDED, .number = exit_status};
    // Those who came while the job ended hear of it too.
    for (int i = 0; c->listener >= 0 && i < CONTROL_CLIENTS; i++)
        (void)on_connection(c, 0);
    for (int i = 0; i < CONTROL_CLIENTS; i++) {
        answer(&c->clients[i], &msg, -1);
        fd_closep(&c->clients[i].sock);
    }
    fd_closep(&c->listener);
}
