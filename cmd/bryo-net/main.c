// SPDX-License-Identifier: Apache-2.0
// bryo-net: started by bryo, never by a person. The outside of a job's network, confined.
// Its descriptors and its words are in net/netconfig.h.
#include "internal/base/buf.h"
#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "net/confine.h"
#include "net/engine.h"
#include "net/guest_net.h"
#include "net/host_local.h"
#include "net/host_route.h"
#include "net/inner.h"
#include "net/netconfig.h"
#include "net/wire.h"

#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>

static int hear_config(struct netconfig *ret, struct err *err)
{
    AUTO_BUF struct buf body = {0};
    enum net_msg type = 0;
    int r = net_msg_recv(NET_FD_CONTROL, 0, &type, &body);
    if (r == 0 && type != NET_MSG_CONFIG)
        r = -EPROTO;
    if (r == 0)
        r = netconfig_unpack(body.data, body.len, ret);
    // The sockets of its ports follow, in their order.
    for (size_t i = 0; r == 0 && i < ret->n_ports;) {
        char some = 0;
        int fds[NET_FDS_MAX];
        size_t n = NET_FDS_MAX;
        if (net_fds_recv(NET_FD_CONTROL, 0, &some, 1, fds, &n) != 1 || n == 0 ||
            n > ret->n_ports - i)
            r = -EPROTO;
        for (size_t k = 0; r == 0 && k < n; k++)
            ret->ports[i++].fd = fds[k];
    }
    return r < 0 ? err_sys(err, -r, "bryo-net got no configuration") : 0;
}

// Each flow costs a descriptor.
static void raise_fd_limit(void)
{
    struct rlimit l;
    if (getrlimit(RLIMIT_NOFILE, &l) == 0) {
        l.rlim_cur = l.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &l);
    }
}

static int serve(const struct netconfig *config, int routes, struct err *err)
{
    AUTO_FD int inner = -1;
    struct engine *engine = NULL;
    struct guest_net_made made;
    int fds[GUEST_NET_FDS];
    // Before anything else: its process stays small, and has none of the libraries' state.
    int r = inner_start(config, &inner, err);
    if (r == 0) {
        const struct engine_parts parts = {.config = config,
                                           .control = NET_FD_CONTROL,
                                           .routes = routes,
                                           .files = {.log = config->has_log ? NET_FD_LOG : -1,
                                                     .lock = config->has_lock ? NET_FD_LOCK : -1,
                                                     .pcap = config->has_pcap ? NET_FD_PCAP : -1}};
        r = engine_new(&parts, &engine, err);
    }
    if (r == 0)
        r = net_confine(err);
    if (r == 0)
        r = inner_wait(inner, &made, fds, err);
    if (r == 0)
        r = engine_attach(engine, &made, fds, err);
    if (r == 0 && (r = engine_run(engine)) < 0)
        (void)err_sys(err, -r, "the job's network broke down");
    engine_free(engine);
    return r;
}

int main(void)
{
    AUTO_NETCONFIG struct netconfig config = {0};
    struct err err = {0};
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    (void)signal(SIGPIPE, SIG_IGN); // libslirp's send(2) lets a peer that went away end the process
    raise_fd_limit();
    // As set, it does not grow with what is freed: libslirp enlarges each connection's buffers
    // once, which on the heap is a copy that touches all of them, and a quarter of a megabyte each.
    (void)mallopt(M_MMAP_THRESHOLD, 128 << 10);
    AUTO_FD int routes = -1;
    int r = hear_config(&config, &err);
    if (r == -ENOTSOCK || r == -EBADF) {
        (void)fprintf(stderr, "bryo-net: bryo starts this program for a job's network; it is of no "
                              "use by itself\n");
        return 125;
    }
    if (r == 0 && (routes = host_local_open(&err)) < 0)
        r = routes;
    if (r == 0) {
        config.ipv6 = host_route_has_ipv6(routes);
        r = serve(&config, routes, &err);
    }
    if (r < 0)
        (void)net_msg_send(NET_FD_CONTROL, NET_MSG_FAILED, &err, sizeof(err));
    return r < 0 ? 125 : 0;
}
