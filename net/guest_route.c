// SPDX-License-Identifier: Apache-2.0
#include "net/guest_route.h"

#include "net/guest_nl.h"

#include <libmnl/libmnl.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>

struct nlmsghdr *guest_route_rule(struct guest_nl *nl, uint16_t type, uint8_t family,
                                  uint32_t priority, uint32_t table)
{
    uint16_t flags = type == RTM_NEWRULE ? NLM_F_CREATE | NLM_F_EXCL : 0;
    struct nlmsghdr *msg = guest_nl_put(nl, type, flags | NLM_F_ACK, sizeof(struct fib_rule_hdr));
    struct fib_rule_hdr *rule = guest_nl_extra(msg);
    rule->family = family;
    rule->action = FR_ACT_TO_TBL;
    mnl_attr_put_u32(msg, FRA_PRIORITY, priority);
    mnl_attr_put_u32(msg, FRA_TABLE, table);
    return msg;
}

static struct nlmsghdr *put(struct guest_nl *nl, uint8_t family, uint32_t table, uint32_t device,
                            uint8_t type, uint8_t scope)
{
    struct nlmsghdr *msg =
        guest_nl_put(nl, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK, sizeof(struct rtmsg));
    struct rtmsg *route = guest_nl_extra(msg);
    route->rtm_family = family;
    route->rtm_table = RT_TABLE_UNSPEC;
    route->rtm_protocol = RTPROT_STATIC;
    route->rtm_scope = scope;
    route->rtm_type = type;
    mnl_attr_put_u32(msg, RTA_TABLE, table);
    mnl_attr_put_u32(msg, RTA_OIF, device);
    return msg;
}

struct nlmsghdr *guest_route_local(struct guest_nl *nl, uint8_t family, uint32_t table,
                                   uint32_t device)
{
    return put(nl, family, table, device, RTN_LOCAL, RT_SCOPE_HOST);
}

struct nlmsghdr *guest_route_out(struct guest_nl *nl, uint8_t family, uint32_t table,
                                 uint32_t device)
{
    return put(nl, family, table, device, RTN_UNICAST, RT_SCOPE_UNIVERSE);
}
