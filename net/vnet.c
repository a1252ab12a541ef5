// SPDX-License-Identifier: Apache-2.0
#include "net/vnet.h"

#include "internal/job/netopts.h"

#include <stddef.h>
#include <string.h>

enum { BOOTP = 67, TFTP = 69, DHCPV6 = 547 };

enum vnet_place vnet_place_of(const struct net_opts *o, const struct ip_addr *a)
{
    bool v4 = a->family == IP_V4;
    struct ip_net net = {.addr = {.family = IP_V6}, .prefix = 64};
    if (v4)
        net = o->cidr;
    else
        memcpy(net.addr.bytes, o->gateway6.bytes, 8);
    if (!ip_in_net(a, &net))
        return VNET_OUTSIDE;
    if (ip_equal(a, v4 ? &o->dns4 : &o->dns6))
        return VNET_RESOLVER;
    return ip_equal(a, v4 ? &o->gateway4 : &o->gateway6) ? VNET_GATEWAY : VNET_NOBODY;
}

bool vnet_host_port_open(const struct net_opts *o, uint16_t port, bool udp)
{
    if (!o->allow_host || (udp && (port == BOOTP || port == TFTP || port == DHCPV6)))
        return false;
    for (size_t i = 0; i < o->n_host_ports; i++)
        if (port >= o->host_ports[i].from && port <= o->host_ports[i].to)
            return true;
    return o->n_host_ports == 0;
}
