// SPDX-License-Identifier: Apache-2.0
// Datagrams between bryo, bryo-net and its inner process (netconfig.h says which).
#ifndef BRYO_NET_WIRE_H
#define BRYO_NET_WIRE_H

#include "net/netconfig.h"

#include <stddef.h>
#include <sys/types.h>

struct buf;

#define NET_MSG_MAX (192U << 10) // bytes behind the type; a socket's default buffer takes 208 KiB
#define NET_FDS_MAX 16

// One uint32_t (enum net_msg), then n bytes. 0 or -errno (-EMSGSIZE: too large).
int net_msg_send(int fd, enum net_msg type, const void *bytes, size_t n);

// Replaces *body by the bytes behind the type (a NUL follows them). 0; -ECONNRESET at the end of
// the stream; -EAGAIN with MSG_DONTWAIT in flags; -EPROTO.
int net_msg_recv(int fd, int flags, enum net_msg *type, struct buf *body);

// A datagram of n >= 1 bytes with descriptors.
int net_fds_send(int fd, const void *bytes, size_t n, const int *fds, size_t n_fds);

// Returns its length; *n_fds: room in fds, then how many came (CLOEXEC, the caller's). -ECONNRESET
// at the end of the stream; -EPROTO for one that is larger or brings more descriptors.
ssize_t net_fds_recv(int fd, int flags, void *bytes, size_t n, int *fds, size_t *n_fds);

#endif
