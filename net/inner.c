// SPDX-License-Identifier: Apache-2.0
#include "net/inner.h"

#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "net/guest_fast.h"
#include "net/netconfig.h"
#include "net/wire.h"

#include <assert.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

// The one who created a user namespace has every capability in it (user_namespaces(7)), and with
// them may join the namespaces that belong to it.
static int join(const int ns[2], struct err *err)
{
    if (setns(ns[0], CLONE_NEWUSER) < 0 || setns(ns[1], CLONE_NEWNET) < 0)
        return err_sys(err, errno, "cannot enter the job's network namespace");
    return 0;
}

static int make(const struct netconfig *config, int sock, int *ret_maker, struct err *err)
{
    char word = 0;
    int ns[2] = {-1, -1};
    size_t n = 2;
    struct guest_net_made made;
    int fds[GUEST_NET_FDS];
    if (net_fds_recv(NET_FD_BIRTH, 0, &word, 1, ns, &n) != 1 || word != NET_BIRTH_HERE || n != 2)
        return err_set(err, EPROTO, "the job's network namespace was not shown");
    int r = join(ns, err);
    if (r == 0)
        r = guest_net_setup(config, &made, fds, ret_maker, err);
    if (r == 0 && (r = net_fds_send(sock, &made, sizeof(made), fds, made.n_fds)) < 0)
        (void)err_sys(err, -r, "cannot hand out the job's network interface");
    // The tap lives as long as its last descriptor does: that is to be bryo-net's.
    for (size_t i = 0; r == 0 && i < made.n_fds; i++)
        (void)close(fds[i]);
    return r;
}

_Noreturn static void inner_main(const struct netconfig *config, int sock)
{
    struct err err = {0};
    int maker = -1;
    if (make(config, sock, &maker, &err) < 0)
        (void)net_fds_send(sock, &err, sizeof(err), NULL, 0);
    (void)net_fds_send(NET_FD_BIRTH, &err, sizeof(err), NULL, 0);
    (void)close(NET_FD_BIRTH);
    (void)close(sock);
    if (err.num == 0 && maker >= 0 && config->n_ports > 0)
        _exit(guest_maker_main(maker, config) < 0 ? 125 : 0);
    _exit(err.num ? 125 : 0);
}

int inner_start(const struct netconfig *config, int *ret_sock, struct err *err)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return err_sys(err, errno, "cannot prepare the job's network");
    AUTO_FD int ours = pair[0];
    AUTO_FD int theirs = pair[1];
    // Nobody waits for it: the kernel takes it away when it ends.
    (void)signal(SIGCHLD, SIG_IGN);
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid < 0)
        return err_sys(err, errno, "cannot prepare the job's network");
    if (pid == 0) {
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
            _exit(125);
        (void)close(ours);
        (void)close(NET_FD_CONTROL);
        inner_main(config, theirs);
    }
    (void)close(NET_FD_BIRTH); // its end is the inner process's end
    // The job's start waits for that one: where processors are few it goes first.
    (void)sched_yield();
    *ret_sock = TAKE_FD(ours);
    return 0;
}

int inner_wait(int sock, struct guest_net_made *made, int fds[GUEST_NET_FDS], struct err *err)
{
    union {
        struct guest_net_made made;
        struct err err;
    } said;
    static_assert(sizeof(said.made) != sizeof(said.err), "told apart by their sizes");
    size_t n = GUEST_NET_FDS;
    ssize_t r = net_fds_recv(sock, 0, &said, sizeof(said), fds, &n);
    if (r == (ssize_t)sizeof(said.made) && n == said.made.n_fds && n >= 1) {
        *made = said.made;
        return 0;
    }
    if (r == (ssize_t)sizeof(said.err) && said.err.num > 0) {
        *err = said.err;
        return -err->num;
    }
    return err_sys(err, r < 0 ? (int)-r : EPROTO, "the job's network could not be made");
}
