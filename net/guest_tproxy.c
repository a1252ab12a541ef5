// SPDX-License-Identifier: Apache-2.0
#include "net/guest_tproxy.h"

#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/base/fd.h"
#include "net/guest_nft.h"
#include "net/guest_nl.h"

#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/fib_rules.h>
#include <linux/if_link.h>
#include <linux/ip.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

// Numbers that a job's own rules are unlikely to use ("bryo", "br").
enum { FAST_MARK = 0x6272796f, FAST_TABLE = 0x6272, FAST_PRIORITY = 100 };

// Above the range that connect(2) takes ports from, where servers rarely listen.
enum { FIRST_PORT = 65535, LAST_PORT = 65000 };

// Connections that were answered and not yet accepted; the kernel cuts it to somaxconn.
enum { BACKLOG = 4096 };

// Seconds. A job's socket that is gone answers the first probe with a reset, so that a pair whose
// job end was closed does not wait for its host end for ever.
enum { KEEP_IDLE = 120, KEEP_INTERVAL = 30, KEEP_COUNT = 8 };

static void put_rule(struct guest_nl *nl, uint8_t family)
{
    struct nlmsghdr *msg = guest_nl_put(nl, RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK,
                                        sizeof(struct fib_rule_hdr));
    struct fib_rule_hdr *rule = guest_nl_extra(msg);
    rule->family = family;
    rule->action = FR_ACT_TO_TBL;
    mnl_attr_put_u32(msg, FRA_PRIORITY, FAST_PRIORITY);
    mnl_attr_put_u32(msg, FRA_FWMARK, FAST_MARK);
    mnl_attr_put_u32(msg, FRA_TABLE, FAST_TABLE);
}

// "local default dev lo": whatever comes with the mark is taken as addressed to this machine.
static void put_route(struct guest_nl *nl, uint8_t family, uint32_t lo)
{
    struct nlmsghdr *msg =
        guest_nl_put(nl, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK, sizeof(struct rtmsg));
    struct rtmsg *route = guest_nl_extra(msg);
    route->rtm_family = family;
    route->rtm_table = RT_TABLE_UNSPEC;
    route->rtm_protocol = RTPROT_STATIC;
    route->rtm_scope = RT_SCOPE_HOST;
    route->rtm_type = RTN_LOCAL;
    mnl_attr_put_u32(msg, RTA_TABLE, FAST_TABLE);
    mnl_attr_put_u32(msg, RTA_OIF, lo);
}

// A segment of the job that comes in through the tap again has the tap's own address as its source:
// without accept_local the kernel takes it for a martian.
static void put_accept_local(struct guest_nl *nl, int tap)
{
    struct nlmsghdr *msg = guest_nl_put(nl, RTM_NEWLINK, NLM_F_ACK, sizeof(struct ifinfomsg));
    struct ifinfomsg *link = guest_nl_extra(msg);
    link->ifi_family = AF_UNSPEC;
    link->ifi_index = tap;
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

static int transparent_socket(int family)
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
    // Taste, not need: a kernel without one of them keeps its own pace.
    (void)set_int(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
    (void)set_int(fd, SOL_TCP, TCP_KEEPIDLE, KEEP_IDLE);
    (void)set_int(fd, SOL_TCP, TCP_KEEPINTVL, KEEP_INTERVAL);
    (void)set_int(fd, SOL_TCP, TCP_KEEPCNT, KEEP_COUNT);
    return TAKE_FD(fd);
}

int guest_tproxy_socket(int family)
{
    AUTO_FD int fd = transparent_socket(family);
    if (fd < 0)
        return fd;
    // The port is the client's: it may be in use here towards another server, or have been.
    int r = set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    if (r == 0)
        r = set_int(fd, SOL_SOCKET, SO_MARK, FAST_MARK);
    return r < 0 ? r : TAKE_FD(fd);
}

static int listen_on(int family, uint16_t port)
{
    AUTO_FD int fd = transparent_socket(family);
    if (fd < 0)
        return fd;
    struct sockaddr_in sin = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct sockaddr_in6 sin6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    int r = family == AF_INET ? bind(fd, (const void *)&sin, sizeof(sin))
                              : bind(fd, (const void *)&sin6, sizeof(sin6));
    if (r < 0 || listen(fd, BACKLOG) < 0)
        return -errno;
    return TAKE_FD(fd);
}

// Both listeners on one port, so that one rule serves both families. listen6 stays -1 without IPv6.
static int listen_both(struct guest_tproxy *tp, uint16_t *ret_port)
{
    int r = -EADDRINUSE;
    for (uint16_t port = FIRST_PORT; port >= LAST_PORT && r == -EADDRINUSE; port--) {
        fd_closep(&tp->listen4);
        tp->listen4 = r = listen_on(AF_INET, port);
        if (r < 0)
            continue;
        tp->listen6 = r = listen_on(AF_INET6, port);
        *ret_port = port;
    }
    return tp->listen4 < 0 ? tp->listen4 : 0;
}

static int set_routes(int family, int tap)
{
    struct guest_nl nl = {.len = 0};
    if (family == AF_INET)
        put_accept_local(&nl, tap);
    put_rule(&nl, (uint8_t)family);
    put_route(&nl, (uint8_t)family, if_nametoindex("lo"));
    return guest_nl_talk(&nl, NETLINK_ROUTE);
}

int guest_tproxy_setup(int tap, bool all_by_tap, struct guest_tproxy *ret, struct err *err)
{
    AUTO_FD int listen4 = -1;
    AUTO_FD int listen6 = -1;
    struct guest_tproxy tp = {.listen4 = -1, .listen6 = -1};
    uint16_t port = 0;
    int r = listen_both(&tp, &port);
    listen4 = tp.listen4;
    listen6 = tp.listen6 < 0 ? -1 : tp.listen6;
    if (r < 0)
        return err_sys(err, -r, "cannot listen transparently in the job's network");
    r = set_routes(AF_INET, tap);
    if (r < 0)
        return err_sys(err, -r, "cannot route by mark in the job's network");
    if (listen6 >= 0 && set_routes(AF_INET6, tap) < 0)
        fd_closep(&listen6); // IPv6 is compiled in and switched off
    const struct guest_nft nft = {
        .tap = tap, .port = port, .mark = FAST_MARK, .all_by_tap = all_by_tap};
    r = guest_nft_apply(&nft);
    if (r < 0)
        return err_sys(err, -r, "cannot set netfilter rules in the job's network");
    *ret = (struct guest_tproxy){.listen4 = TAKE_FD(listen4), .listen6 = TAKE_FD(listen6)};
    return 0;
}
