// SPDX-License-Identifier: Apache-2.0
// Asks the machine's routing table what an address is to it. Host side.
#ifndef BRYO_NET_HOST_LOCAL_H
#define BRYO_NET_HOST_LOCAL_H

#include "internal/base/ipaddr.h"

#include <stdbool.h>

struct err;

// A netlink socket for the questions (rtnetlink(7)); it needs no privilege and works on under
// no_new_privs, Landlock and a filter that allows sendto(2) and recv(2). The descriptor, or -errno
// with err.
int host_local_open(struct err *err);

// Whether the machine would take what is sent to this address for itself: RTM_GETROUTE answers
// RTN_LOCAL, or broadcast, anycast or multicast. Asked each time, so that addresses which come
// while a job runs are known. When the answer does not come, true: an address that cannot be judged
// stays closed. An address without a route is not local; connecting to it will say so.
bool host_local_is(int fd, const struct ip_addr *a);

#endif
