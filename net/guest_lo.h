// SPDX-License-Identifier: Apache-2.0
// The loopback interface of a new network namespace. Guest side.
#ifndef BRYO_NET_GUEST_LO_H
#define BRYO_NET_GUEST_LO_H

struct err;

// LOOPBACK_IFINDEX of the kernel, in every network namespace.
#define GUEST_LO_INDEX 1

// Brings "lo" up in the caller's network namespace (netdevice(7); the kernel then adds 127.0.0.1/8
// and ::1/128 by itself). Needs CAP_NET_ADMIN there. errno stays as it is, unless it fails.
int guest_lo_up(struct err *err);

#endif
