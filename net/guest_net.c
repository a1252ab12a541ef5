// SPDX-License-Identifier: Apache-2.0
#include "net/guest_net.h"

#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "net/frame_build.h"
#include "net/guest_fast.h"
#include "net/guest_lo.h"
#include "net/guest_rtnl.h"
#include "net/guest_sysctl.h"
#include "net/netconfig.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

// The device is made in the namespace that this process is in when it opens the file.
static int open_tap(int *ret_index, struct err *err)
{
    AUTO_FD int tap = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    struct ifreq req = {.ifr_flags = IFF_TAP | IFF_NO_PI};
    (void)strncpy(req.ifr_name, GUEST_TAP_NAME, sizeof(req.ifr_name) - 1);
    if (tap < 0)
        return err_sys(err, errno, "cannot open /dev/net/tun");
    if (ioctl(tap, TUNSETIFF, &req) < 0)
        return err_sys(err, errno, "cannot make the job's network interface");
    // Else it would be taken away when bryo-net closes it, which waits for the kernel's RCU: 15 to
    // 30 ms at the end of each job. It goes with its namespace, in the kernel's own time.
    (void)ioctl(tap, TUNSETPERSIST, 1UL);
    AUTO_FD int any = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (any < 0 || ioctl(any, SIOCGIFINDEX, &req) < 0)
        return err_sys(err, errno, "cannot find the job's network interface");
    *ret_index = req.ifr_ifindex;
    return TAKE_FD(tap);
}

static int configure(const struct netconfig *c, int tap_index, struct err *err)
{
    const struct net_opts *o = &c->opts;
    struct guest_rtnl r = {0};
    guest_rtnl_link_up(&r, "bring the loopback interface up", GUEST_LO_INDEX);
    guest_rtnl_tap_up(&r, tap_index, c->fast && !o->mtu ? GUEST_MTU_FAST : c->mtu, frame_job_mac,
                      c->ipv6);
    guest_rtnl_address(&r, tap_index, &o->job4, o->cidr.prefix);
    guest_rtnl_neighbour(&r, tap_index, &o->gateway4, frame_our_mac);
    guest_rtnl_neighbour(&r, tap_index, &o->dns4, frame_our_mac);
    guest_rtnl_default_route(&r, tap_index, &o->gateway4);
    if (c->ipv6) {
        guest_rtnl_address(&r, tap_index, &o->job6, 64);
        guest_rtnl_neighbour(&r, tap_index, &o->gateway6, frame_our_mac);
        guest_rtnl_neighbour(&r, tap_index, &o->dns6, frame_our_mac);
        guest_rtnl_default_route(&r, tap_index, &o->gateway6);
    }
    return guest_rtnl_commit(&r, err);
}

// Without netfilter in the namespace libslirp carries TCP too, and wants large segments.
static int set_up_fast(const struct netconfig *c, int tap_index, struct guest_net_made *made,
                       int fds[GUEST_NET_FDS], int *ret_maker, struct err *err)
{
    struct err why = {0};
    struct guest_rtnl r = {0};
    if (guest_fast_setup(c, fds, &made->n_fds, ret_maker, &why) == 0) {
        made->fast = true;
        return 0;
    }
    (void)snprintf(made->why, sizeof(made->why), "%.255s", why.text);
    guest_rtnl_tap_up(&r, tap_index, c->mtu, frame_job_mac, c->ipv6);
    return guest_rtnl_commit(&r, err);
}

int guest_net_setup(const struct netconfig *c, struct guest_net_made *made, int fds[GUEST_NET_FDS],
                    int *ret_maker, struct err *err)
{
    int index = 0;
    *made = (struct guest_net_made){0};
    *ret_maker = -1;
    AUTO_FD int tap = open_tap(&index, err);
    if (tap < 0)
        return tap;
    guest_sysctl_set();
    int r = configure(c, index, err);
    if (r == 0)
        fds[made->n_fds++] = TAKE_FD(tap);
    if (r == 0 && c->fast)
        r = set_up_fast(c, index, made, fds, ret_maker, err);
    return r;
}
