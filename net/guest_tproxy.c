// SPDX-License-Identifier: Apache-2.0
#include "net/guest_tproxy.h"

#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/base/fd.h"
#include "internal/base/ipaddr.h"
#include "net/guest_lo.h"
#include "net/guest_nft.h"
#include "net/guest_nl.h"
#include "net/guest_out.h"
#include "net/guest_route.h"

#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/fib_rules.h>
#include <linux/if_link.h>
#include <linux/ip.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

// Numbers that a job's own rules are unlikely to use ("bryo", "br").
enum { FAST_MARK = 0x6272796f, FAST_TABLE = 0x6272, FAST_PRIORITY = 100 };

// What the accepted sockets send is addressed to the job, and would go by "lo". With this mark it
// leaves by the tap, if the rule for it stands before the one that knows the local addresses.
enum { BACK_MARK = 0x62727970, BACK_TABLE = 0x6273, BACK_PRIORITY = 50, LOCAL_PRIORITY = 60 };

// Above the range that connect(2) takes ports from, where servers rarely listen.
enum { FIRST_PORT = 65535, LAST_PORT = 65000 };

enum { LONG_QUEUE = 10000 }; // packets

// Connections that were answered and not yet accepted; the kernel cuts it to somaxconn.
enum { BACKLOG = 4096 };

// Seconds. A job's socket that is gone answers the first probe with a reset, so that a pair whose
// job end was closed does not wait for its host end for ever.
enum { KEEP_IDLE = 120, KEEP_INTERVAL = 30, KEEP_COUNT = 8 };

static void put_mark_rule(struct guest_nl *nl, uint8_t family, uint32_t priority, uint32_t mark,
                          uint32_t table)
{
    struct nlmsghdr *msg = guest_route_rule(nl, RTM_NEWRULE, family, priority, table);
    mnl_attr_put_u32(msg, FRA_FWMARK, mark);
}

// "default via gateway dev tap", in a table of its own; and the rule that leads there, in front of
// the local addresses, whose rule moves back.
static void put_way_back(struct guest_nl *nl, uint8_t family, int tap,
                         const struct ip_addr *gateway)
{
    struct nlmsghdr *msg = guest_route_out(nl, family, BACK_TABLE, (uint32_t)tap);
    mnl_attr_put(msg, RTA_GATEWAY, family == AF_INET ? 4 : 16, gateway->bytes);
    put_mark_rule(nl, family, BACK_PRIORITY, BACK_MARK, BACK_TABLE);
    (void)guest_route_rule(nl, RTM_NEWRULE, family, LOCAL_PRIORITY, RT_TABLE_LOCAL);
    (void)guest_route_rule(nl, RTM_DELRULE, family, 0, RT_TABLE_LOCAL);
}

// A segment of the job that comes in through the tap again has the tap's own address as its source:
// without accept_local the kernel takes it for a martian.
static void put_tap(struct guest_nl *nl, int tap)
{
    struct nlmsghdr *msg = guest_nl_put(nl, RTM_NEWLINK, NLM_F_ACK, sizeof(struct ifinfomsg));
    struct ifinfomsg *link = guest_nl_extra(msg);
    link->ifi_family = AF_UNSPEC;
    link->ifi_index = tap;
    // The bursts of a long wire, and of a job that opens thousands of connections at once, are
    // larger than the usual thousand packets; a SYN that is lost comes again after one second,
    // three, seven.
    mnl_attr_put_u32(msg, IFLA_TXQLEN, LONG_QUEUE);
    mnl_attr_put_u32(msg, IFLA_GROUP, GUEST_OUT_TAP_GROUP);
    struct nlattr *spec = mnl_attr_nest_start(msg, IFLA_AF_SPEC);
    struct nlattr *inet = mnl_attr_nest_start(msg, AF_INET);
    struct nlattr *conf = mnl_attr_nest_start(msg, IFLA_INET_CONF);
    mnl_attr_put_u32(msg, IPV4_DEVCONF_ACCEPT_LOCAL, 1);
    mnl_attr_put_u32(msg, IPV4_DEVCONF_RP_FILTER, 0);
    mnl_attr_nest_end(msg, conf);
    mnl_attr_nest_end(msg, inet);
    mnl_attr_nest_end(msg, spec);
}

static int set_int(int fd, int level, int name, int value)
{
    return setsockopt(fd, level, name, &value, sizeof(value)) < 0 ? -errno : 0;
}

// Over "lo" nothing is lost or far: the simplest congestion control is the fastest, where one that
// paces (bbr, a machine's default perhaps) costs more than half. On the way by the tap the
// machine's own choice belongs to what is imitated.
static void choose_congestion_control(int fd, bool all_by_tap)
{
    static const char reno[] = "reno"; // in every kernel, allowed to everybody
    if (!all_by_tap)
        (void)setsockopt(fd, SOL_TCP, TCP_CONGESTION, reno, sizeof(reno) - 1);
}

static int transparent_socket(int family, bool all_by_tap)
{
    AUTO_FD int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP);
    if (fd < 0)
        return -errno;
    int r = family == AF_INET ? set_int(fd, SOL_IP, IP_TRANSPARENT, 1)
                              : set_int(fd, SOL_IPV6, IPV6_TRANSPARENT, 1);
    if (r == 0 && family == AF_INET6)
        r = set_int(fd, SOL_IPV6, IPV6_V6ONLY, 1);
    if (r == 0)
        r = set_int(fd, SOL_TCP, TCP_NODELAY, 1);
    if (r < 0)
        return r;
    choose_congestion_control(fd, all_by_tap);
    // Taste, not need: a kernel without one of them keeps its own pace.
    (void)set_int(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
    (void)set_int(fd, SOL_TCP, TCP_KEEPIDLE, KEEP_IDLE);
    (void)set_int(fd, SOL_TCP, TCP_KEEPINTVL, KEEP_INTERVAL);
    (void)set_int(fd, SOL_TCP, TCP_KEEPCNT, KEEP_COUNT);
    return TAKE_FD(fd);
}

int guest_tproxy_socket(int family, bool all_by_tap)
{
    AUTO_FD int fd = transparent_socket(family, all_by_tap);
    if (fd < 0)
        return fd;
    // The port is the client's: it may be in use here towards another server, or have been.
    int r = set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    if (r == 0)
        r = set_int(fd, SOL_SOCKET, SO_MARK, all_by_tap ? BACK_MARK : FAST_MARK);
    return r < 0 ? r : TAKE_FD(fd);
}

// Accepted sockets inherit the mark.
static int listen_on(int family, uint16_t port, bool all_by_tap)
{
    AUTO_FD int fd = transparent_socket(family, all_by_tap);
    int marked = fd >= 0 && all_by_tap ? set_int(fd, SOL_SOCKET, SO_MARK, BACK_MARK) : 0;
    if (fd < 0 || marked < 0)
        return fd < 0 ? fd : marked;
    struct sockaddr_in sin = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct sockaddr_in6 sin6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    int r = family == AF_INET ? bind(fd, (const void *)&sin, sizeof(sin))
                              : bind(fd, (const void *)&sin6, sizeof(sin6));
    if (r < 0 || listen(fd, BACKLOG) < 0)
        return -errno;
    return TAKE_FD(fd);
}

// Both listeners on one port, so that one rule serves both families. listen6 stays -1 without IPv6.
static int listen_both(struct guest_tproxy *tp, bool all_by_tap, uint16_t *ret_port)
{
    int r = -EADDRINUSE;
    for (uint16_t port = FIRST_PORT; port >= LAST_PORT && r == -EADDRINUSE; port--) {
        fd_closep(&tp->listen4);
        tp->listen4 = r = listen_on(AF_INET, port, all_by_tap);
        if (r < 0)
            continue;
        tp->listen6 = r = listen_on(AF_INET6, port, all_by_tap);
        *ret_port = port;
    }
    return tp->listen4 < 0 ? tp->listen4 : 0;
}

static int set_routes(const struct guest_tproxy_config *c, uint8_t family)
{
    struct guest_nl nl = {.len = 0};
    const struct ip_addr *gateway = family == AF_INET ? c->gateway4 : c->gateway6;
    if (family == AF_INET)
        put_tap(&nl, c->tap);
    put_mark_rule(&nl, family, FAST_PRIORITY, FAST_MARK, FAST_TABLE);
    // What has the mark is taken as addressed to this machine.
    (void)guest_route_local(&nl, family, FAST_TABLE, GUEST_LO_INDEX);
    if (c->all_by_tap && gateway && gateway->family != IP_NONE)
        put_way_back(&nl, family, c->tap, gateway);
    return guest_nl_talk(&nl, NETLINK_ROUTE);
}

int guest_tproxy_setup(const struct guest_tproxy_config *config, struct guest_tproxy *ret,
                       struct err *err)
{
    AUTO_FD int listen4 = -1;
    AUTO_FD int listen6 = -1;
    struct guest_tproxy tp = {.listen4 = -1, .listen6 = -1};
    uint16_t port = 0;
    int r = listen_both(&tp, config->all_by_tap, &port);
    listen4 = tp.listen4;
    listen6 = tp.listen6 < 0 ? -1 : tp.listen6;
    if (r < 0)
        return err_sys(err, -r, "cannot listen transparently in the job's network");
    r = set_routes(config, AF_INET);
    if (r < 0)
        return err_sys(err, -r, "cannot route by mark in the job's network");
    if (listen6 >= 0 && set_routes(config, AF_INET6) < 0)
        fd_closep(&listen6); // IPv6 is compiled in and switched off
    const struct guest_nft nft = {
        .tap = config->tap, .port = port, .mark = FAST_MARK, .all_by_tap = config->all_by_tap};
    r = guest_nft_apply(&nft);
    if (r < 0)
        return err_sys(err, -r, "cannot set netfilter rules in the job's network");
    if (!config->all_by_tap)
        (void)guest_out_apply(config->tap, config->job4, listen6 >= 0 ? config->job6 : NULL);
    *ret = (struct guest_tproxy){.listen4 = TAKE_FD(listen4), .listen6 = TAKE_FD(listen6)};
    return 0;
}
