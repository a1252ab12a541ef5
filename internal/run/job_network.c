// SPDX-License-Identifier: Apache-2.0
#include "internal/run/job_network.h"

#include "internal/base/buf.h"
#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/base/fd.h"
#include "internal/base/log.h"
#include "internal/base/loop.h"
#include "internal/base/proc.h"
#include "internal/job/stage.h"
#include "internal/roots/host_helper.h"
#include "internal/sandbox/sandbox.h"
#include "net/guest_lo.h"
#include "net/netconfig.h"
#include "net/wire.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define TUN              "/dev/net/tun"
#define READY_PATIENCE_S 30
#define GONE_PATIENCE_S  5
#define END_PATIENCE_MS  5000

// --- before the namespaces exist
// ---------------------------------------------------------------------

static int check_tun(struct err *err)
{
    AUTO_FD int fd = open(TUN, O_RDWR | O_CLOEXEC);
    if (fd >= 0)
        return 0;
    int num = errno;
    (void)err_sys(err, num, "a network of the job's own needs %s", TUN);
    if (num == EACCES || num == EPERM)
        return err_hint(err, "as root: chmod 0666 %s, as udev makes it", TUN);
    return err_hint(
        err,
        "as root: modprobe tun; mkdir -p /dev/net; mknod -m 0666 %s c 10 200; inside of "
        "a job or container: give it --device %s, or use --network none or host",
        TUN, TUN);
}

static int send_config(struct job_network *n, struct err *err)
{
    struct net_opts opts;
    AUTO_BUF struct buf resolv = {0};
    AUTO_BUF struct buf message = {0};
    resolv_watch_read(&n->resolv, &resolv);
    net_files_opts(&n->files, n->opts, &opts);
    struct netconfig c = {.opts = opts,
                          .has_log = n->files.log >= 0,
                          .has_lock = n->files.lock >= 0,
                          .has_pcap = n->files.pcap >= 0,
                          // A capture shall have all of TCP, which the fast path keeps off the tap.
                          .fast = !opts.fast_off && !opts.pcap_file,
                          .mtu = opts.mtu ? opts.mtu : NET_MTU_MAX,
                          .ports = n->ports.v,
                          .n_ports = n->ports.n,
                          .resolv = resolv.data};
    netconfig_pack(&c, &message);
    free(opts.rules.v);
    int r = net_msg_send(n->control, NET_MSG_CONFIG, message.data, message.len);
    if (r == -EMSGSIZE)
        return err_set(err, E2BIG, "the network's options are too long (%zu bytes)", message.len);
    for (size_t i = 0; r == 0 && i < n->ports.n; i += NET_FDS_MAX) {
        size_t left = n->ports.n - i;
        const char some = 0;
        r = net_fds_send(n->control, &some, 1, n->ports.fds + i,
                         left < NET_FDS_MAX ? left : NET_FDS_MAX);
    }
    return r < 0 ? err_sys(err, -r, "cannot talk to bryo-net") : 0;
}

static int start_process(struct job_network *n, bool background, struct err *err)
{
    AUTO_FREE char *path = NULL;
    AUTO_FD int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    int control[2];
    int birth[2];
    int r = host_helper_path("bryo-net", &path, err);
    if (r < 0)
        return r;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, control) < 0)
        return err_sys(err, errno, "cannot make a channel to bryo-net");
    n->control = control[0];
    AUTO_FD int control_theirs = control[1];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, birth) < 0)
        return err_sys(err, errno, "cannot make a channel to bryo-net");
    n->birth = birth[0];
    AUTO_FD int birth_theirs = birth[1];
    char *argv[] = {path, NULL};
    // It prints nothing, and whoever reads what bryo run -d prints is not to wait for its end.
    const struct proc_fd all[] = {{null, STDOUT_FILENO},
                                  {background ? null : -1, STDERR_FILENO},
                                  {control_theirs, NET_FD_CONTROL},
                                  {birth_theirs, NET_FD_BIRTH},
                                  {n->files.log, NET_FD_LOG},
                                  {n->files.lock, NET_FD_LOCK},
                                  {n->files.pcap, NET_FD_PCAP}};
    struct proc_fd fds[sizeof(all) / sizeof(all[0])];
    size_t n_fds = 0;
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        if (all[i].from >= 0)
            fds[n_fds++] = all[i];
    // What follows here does not wait until it has been loaded.
    r = proc_spawn_begin(argv, NULL, fds, n_fds, &n->pid, &n->spawned);
    if (r < 0) {
        n->pid = 0;
        return err_sys(err, -r, "cannot start bryo-net");
    }
    return 0;
}

// Whether it was loaded; err is overwritten where it was not.
static int check_process(struct job_network *n, struct err *err)
{
    int r = n->spawned >= 0 ? proc_spawn_check(n->pid, &n->spawned) : 0;
    if (r == 0)
        return 0;
    n->pid = 0;
    *err = (struct err){0};
    return err_sys(err, -r, "cannot run bryo-net, which carries the job's network");
}

int job_network_start(struct job_network *n, const struct net_opts *opts, bool background,
                      struct err *err)
{
    *n = JOB_NETWORK_NONE;
    n->mode = opts->mode;
    n->opts = opts;
    if (n->mode != NETWORK_SLIRP)
        return 0;
    int r = check_tun(err);
    if (r < 0 && !opts->mode_given && !net_opts_first_given(opts)) {
        log_note("the job has no network: %s; %s", err->text, err->hint);
        *err = (struct err){0};
        n->mode = NETWORK_NONE;
        return 0;
    }
    if (r == 0)
        r = net_files_open(opts, &n->files, err);
    if (r == 0)
        r = net_ports_bind(opts, &n->ports, err);
    if (r == 0)
        r = start_process(n, background, err);
    if (r == 0)
        r = send_config(n, err);
    if (r < 0 && n->pid)
        (void)check_process(n, err); // it ended, and that is why
    if (r == 0)
        net_ports_tell(opts, &n->ports);
    net_ports_list(&n->ports, &n->published);
    net_ports_close(&n->ports); // bryo-net's alone from here on
    if (r < 0) {
        (void)err_stage(err, STAGE_NETWORK);
        job_network_done(n);
    }
    return r;
}

// --- in the job's own processes
// ------------------------------------------------------------------------

// The stager, which has just made the namespaces.
static int show_namespaces(void *ctx, struct err *err)
{
    const struct job_network *n = ctx;
    // Left open: the stager ends now, and to close them as elsewhere would write errno (sandbox.h).
    int user = open("/proc/self/ns/user", O_RDONLY | O_CLOEXEC);
    int net = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    const int fds[] = {user, net};
    const char word = NET_BIRTH_HERE;
    int r = user < 0 || net < 0 ? -errno : net_fds_send(n->birth, &word, 1, fds, 2);
    if (r == -EPIPE || r == -ECONNRESET)
        return 0; // bryo-net has failed, and says why to the launcher
    return r < 0 ? err_sys(err, -r, "cannot show the job's namespaces to bryo-net") : 0;
}

// The same, where bryo-net has no part.
static int only_lo(void *ctx, struct err *err)
{
    (void)ctx;
    return guest_lo_up(err);
}

// PID 1, when its mounts are made.
static int wait_ready(void *ctx, struct err *err)
{
    struct job_network *n = ctx;
    struct pollfd p = {.fd = n->birth, .events = POLLIN};
    struct err said = {0};
    size_t none = 0;
    int r;
    while ((r = poll(&p, 1, READY_PATIENCE_S * 1000)) < 0 && errno == EINTR)
        ;
    if (r == 0)
        return err_set(err, ETIMEDOUT, "the job's network was not ready within %d seconds",
                       READY_PATIENCE_S);
    ssize_t got = net_fds_recv(n->birth, 0, &said, sizeof(said), NULL, &none);
    fd_closep(&n->birth);
    fd_closep(&n->control); // the launcher's, and nobody else's
    fd_closep(&n->spawned);
    if (got != (ssize_t)sizeof(said)) {
        // The launcher knows more, or will, and then ends this process.
        (void)sleep(GONE_PATIENCE_S);
        return err_set(err, ECONNRESET, "bryo-net ended before the job's network was ready");
    }
    said.text[sizeof(said.text) - 1] = said.hint[sizeof(said.hint) - 1] = '\0';
    if (said.num)
        *err = said;
    return said.num > 0 ? -said.num : 0;
}

void job_network_hooks(struct job_network *n, struct sandbox_network *ret)
{
    *ret = (struct sandbox_network){.ctx = n};
    if (n->mode == NETWORK_NONE)
        ret->made = only_lo;
    if (n->mode == NETWORK_SLIRP) {
        ret->made = show_namespaces;
        ret->ready = wait_ready;
    }
}

// --- while the job runs
// --------------------------------------------------------------------------------

static void fail(struct job_network *n, struct err *err)
{
    loop_remove(n->loop, n->control);
    if (n->ending)
        return;
    (void)err_stage(err, STAGE_NETWORK);
    supervisor_fail(n->supervisor, err);
}

static void on_failed(struct job_network *n, const struct buf *body)
{
    struct err err;
    if (body->len != sizeof(err)) {
        (void)err_set(&err, EPROTO, "bryo-net failed without saying why");
    } else {
        memcpy(&err, body->data, sizeof(err));
        err.text[sizeof(err.text) - 1] = err.hint[sizeof(err.hint) - 1] = '\0';
        err.num = err.num > 0 ? err.num : EPROTO;
        err.stage = 0;
    }
    fail(n, &err);
}

// Its end of the socket is closed. As a rule it has ended, or is just about to.
static void on_lost(struct job_network *n)
{
    struct err err;
    char how[48] = "";
    int status;
    if (n->ending) { // as it was told to: job_network_done() reaps it
        loop_remove(n->loop, n->control);
        return;
    }
    for (int i = 0; n->pid && i < 100; i++) {
        if (waitpid(n->pid, &status, WNOHANG | __WALL) == n->pid) {
            n->pid = 0;
            if (WIFSIGNALED(status))
                (void)snprintf(how, sizeof(how), ", by signal %d", WTERMSIG(status));
            else
                (void)snprintf(how, sizeof(how), ", with status %d", WEXITSTATUS(status));
        } else {
            (void)usleep(10000);
        }
    }
    (void)err_set(&err, ECONNRESET,
                  "bryo-net, which carries the job's network, ended while the job ran%s", how);
    fail(n, &err);
}

static int on_control(void *ctx, uint32_t events)
{
    struct job_network *n = ctx;
    AUTO_BUF struct buf body = {0};
    enum net_msg type;
    (void)events;
    int r = net_msg_recv(n->control, MSG_DONTWAIT, &type, &body);
    if (r == -EAGAIN)
        return 0;
    if (r == 0 && type == NET_MSG_NOTE) {
        log_note("%s", buf_str(&body));
    } else if (r == 0 && type == NET_MSG_FAILED) {
        on_failed(n, &body);
    } else {
        on_lost(n);
    }
    return 0;
}

static void on_resolv(void *ctx, const struct buf *text)
{
    struct job_network *n = ctx;
    (void)net_msg_send(n->control, NET_MSG_RESOLV, text->data, text->len);
}

static int start(void *ctx, struct loop *loop, struct supervisor *s, struct err *err)
{
    struct job_network *n = ctx;
    n->loop = loop;
    n->supervisor = s;
    fd_closep(&n->birth); // the job's processes have theirs
    int r = check_process(n, err);
    if (r < 0)
        return err_stage(err, STAGE_NETWORK);
    r = n->pid ? loop_add(loop, n->control, EPOLLIN, on_control, n) : 0;
    if (r == 0 && n->pid && n->opts->n_dns == 0)
        r = resolv_watch_start(&n->resolv, loop, on_resolv, n);
    return r < 0 ? err_sys(err, -r, "cannot watch over bryo-net") : 0;
}

void job_network_end(struct job_network *n)
{
    if (n->ending)
        return;
    n->ending = true;
    resolv_watch_stop(&n->resolv);
    if (n->pid)
        (void)net_msg_send(n->control, NET_MSG_END, NULL, 0);
}

static void job_ended(void *ctx)
{
    job_network_end(ctx);
}

struct supervise_part job_network_part(struct job_network *n)
{
    return (struct supervise_part){.start = start, .job_ended = job_ended, .ctx = n};
}

// What bryo-net still has to say when the job has ended, until it is gone; not for ever.
static void hear_the_end(struct job_network *n)
{
    struct pollfd p = {.fd = n->control, .events = POLLIN};
    for (;;) {
        AUTO_BUF struct buf body = {0};
        enum net_msg type;
        int r = poll(&p, 1, END_PATIENCE_MS);
        if (r < 0 && errno == EINTR)
            continue;
        if (r <= 0 || net_msg_recv(n->control, MSG_DONTWAIT, &type, &body) < 0)
            break;
        if (type == NET_MSG_NOTE)
            log_note("%s", buf_str(&body));
    }
}

static void keep_lock(const struct job_network *n)
{
    struct err err = {0};
    if (net_files_keep_lock(&n->files, n->opts->lock_file, &err) < 0)
        log_err(&err);
}

void job_network_done(struct job_network *n)
{
    int status;
    fd_closep(&n->birth);
    strv_done(&n->published);
    if (n->pid) {
        if (n->ending)
            hear_the_end(n);
        (void)kill(n->pid, SIGKILL);
        fd_closep(&n->control);
        (void)proc_wait(n->pid, &status);
        if (n->ending)
            keep_lock(n);
    }
    n->pid = 0;
    fd_closep(&n->control);
    fd_closep(&n->spawned);
    net_files_close(&n->files);
}
