// SPDX-License-Identifier: Apache-2.0
#include "net/guest_fast.h"

#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/base/fd.h"
#include "net/guest_net.h"
#include "net/guest_tproxy.h"
#include "net/netconfig.h"
#include "net/shape.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sys/socket.h>

// The job's own sockets end at "lo" too: see choose_congestion_control() of guest_tproxy.c. Only a
// matter of speed; where /proc is not to be written to, the machine's default stays.
static void choose_default(void)
{
    static const char reno[] = "reno";
    (void)fd_write_file(AT_FDCWD, "/proc/sys/net/ipv4/tcp_congestion_control", reno,
                        sizeof(reno) - 1);
}

int guest_fast_setup(const struct netconfig *config, int fds[], size_t *n_fds, int *ret_maker,
                     struct err *err)
{
    int pair[2];
    struct guest_tproxy made;
    const struct guest_tproxy_config tproxy = {
        .tap = (int)if_nametoindex(GUEST_TAP_NAME),
        .all_by_tap = shape_wanted(&config->opts),
        .job4 = &config->opts.job4,
        .job6 = config->ipv6 ? &config->opts.job6 : NULL,
        .gateway4 = &config->opts.gateway4,
        .gateway6 = config->ipv6 ? &config->opts.gateway6 : NULL,
    };
    int r = guest_tproxy_setup(&tproxy, &made, err);
    if (r < 0)
        return r;
    AUTO_FD int listen4 = made.listen4;
    AUTO_FD int listen6 = made.listen6;
    if (!tproxy.all_by_tap)
        choose_default();
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return err_sys(err, errno, "cannot make a socket pair");
    fds[*n_fds + FAST_FD_LISTEN4] = TAKE_FD(listen4);
    fds[*n_fds + FAST_FD_MAKER] = pair[0];
    fds[*n_fds + FAST_FD_LISTEN6] = listen6;
    *n_fds += listen6 >= 0 ? FAST_FDS : FAST_FDS - 1;
    (void)TAKE_FD(listen6);
    *ret_maker = pair[1];
    return 0;
}
