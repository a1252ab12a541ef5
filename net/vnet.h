// SPDX-License-Identifier: Apache-2.0
// The addresses of the job's own little network, and which of them lead anywhere. Pure.
#ifndef BRYO_NET_VNET_H
#define BRYO_NET_VNET_H

#include "internal/base/ipaddr.h"

#include <stdbool.h>
#include <stdint.h>

struct net_opts;

enum vnet_place {
    VNET_OUTSIDE,  // not an address of the virtual network
    VNET_RESOLVER, // bryo-net's own DNS
    VNET_GATEWAY,  // stands for the machine's loopback
    VNET_NOBODY,   // of the virtual network, and nobody has it
};

enum vnet_place vnet_place_of(const struct net_opts *o, const struct ip_addr *a);

// Whether --allow-host opens this port of the machine. Those on which libslirp has servers of its
// own (BOOTP, TFTP, DHCPv6) are never open.
bool vnet_host_port_open(const struct net_opts *o, uint16_t port, bool udp);

#endif
