// SPDX-License-Identifier: Apache-2.0
#include "net/guest_out.h"

#include "internal/base/ipaddr.h"
#include "net/guest_lo.h"
#include "net/guest_nl.h"
#include "net/guest_route.h"

#include <libmnl/libmnl.h>
#include <linux/fib_rules.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

// Behind the local addresses and the marks of guest_tproxy.c.
enum { OUT_TABLE = 0x6274, MAIN_PRIORITY = 101, OUT_PRIORITY = 102 };

// if_link.h of Linux 6.3
enum { LINK_GSO_IPV4_MAX_SIZE = 63 };
enum { BIG = 256 << 10 };

static struct nlmsghdr *put_tcp_rule(struct guest_nl *nl, uint8_t family, uint32_t priority,
                                     uint32_t table)
{
    struct nlmsghdr *msg = guest_route_rule(nl, RTM_NEWRULE, family, priority, table);
    mnl_attr_put_strz(msg, FRA_IIFNAME, "lo"); // of this machine, not forwarded
    mnl_attr_put_u8(msg, FRA_IP_PROTO, IPPROTO_TCP);
    mnl_attr_put_u32(msg, FRA_FWMARK, 0);
    mnl_attr_put_u32(msg, FRA_FWMASK, UINT32_MAX);
    return msg;
}

// "local default dev tap": delivered here by way of "lo", as all that is local. It goes with the
// tap; of IPv6, when the tap is down already.
static void put_route(struct guest_nl *nl, uint8_t family, int tap, const struct ip_addr *job)
{
    struct nlmsghdr *msg = guest_route_local(nl, family, OUT_TABLE, (uint32_t)tap);
    const uint32_t headers =
        sizeof(struct tcphdr) + (family == AF_INET ? sizeof(struct iphdr) : sizeof(struct ip6_hdr));
    mnl_attr_put(msg, RTA_PREFSRC, family == AF_INET ? 4 : 16, job->bytes);
    struct nlattr *metrics = mnl_attr_nest_start(msg, RTA_METRICS);
    mnl_attr_put_u32(msg, RTAX_LOCK, 1U << RTAX_MTU | 1U << RTAX_RTO_MIN);
    mnl_attr_put_u32(msg, RTAX_MTU, GUEST_OUT_MSS + headers);
    mnl_attr_put_u32(msg, RTAX_RTO_MIN, GUEST_OUT_RTO_MIN);
    mnl_attr_nest_end(msg, metrics);
}

// What the main table leads to another device is the job's own; what it leads to the tap goes to
// the table above.
static void put_way(struct guest_nl *nl, uint8_t family, int tap, const struct ip_addr *job)
{
    put_route(nl, family, tap, job);
    struct nlmsghdr *msg = put_tcp_rule(nl, family, MAIN_PRIORITY, RT_TABLE_MAIN);
    mnl_attr_put_u32(msg, FRA_SUPPRESS_IFGROUP, GUEST_OUT_TAP_GROUP);
    (void)put_tcp_rule(nl, family, OUT_PRIORITY, OUT_TABLE);
}

static void put_lo_size(struct guest_nl *nl, uint16_t attr)
{
    struct nlmsghdr *msg = guest_nl_put(nl, RTM_NEWLINK, NLM_F_ACK, sizeof(struct ifinfomsg));
    struct ifinfomsg *link = guest_nl_extra(msg);
    link->ifi_family = AF_UNSPEC;
    link->ifi_index = GUEST_LO_INDEX;
    mnl_attr_put_u32(msg, attr, BIG);
}

int guest_out_apply(int tap, const struct ip_addr *job4, const struct ip_addr *job6)
{
    struct guest_nl nl = {.len = 0};
    put_way(&nl, AF_INET, tap, job4);
    if (job6)
        put_way(&nl, AF_INET6, tap, job6);
    put_lo_size(&nl, IFLA_GSO_MAX_SIZE);
    put_lo_size(&nl, LINK_GSO_IPV4_MAX_SIZE);
    return guest_nl_talk(&nl, NETLINK_ROUTE);
}
