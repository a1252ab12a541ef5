// SPDX-License-Identifier: Apache-2.0
// What the machine's own routing table says about the world. Host side.
#ifndef BRYO_NET_HOST_ROUTE_H
#define BRYO_NET_HOST_ROUTE_H

#include <stdbool.h>

// Whether there is a default route of IPv6 (rtnetlink(7)). fd: of host_local_open().
bool host_route_has_ipv6(int fd);

#endif
