// SPDX-License-Identifier: Apache-2.0
// What the fast path and the published ports need inside the job's network namespace. Guest side:
// run by bryo-net's inner process.
#ifndef BRYO_NET_GUEST_FAST_H
#define BRYO_NET_GUEST_FAST_H

#include <stddef.h>

struct err;
struct netconfig;

// What guest_fast_setup() adds to the descriptors, in this order; the last may be missing.
enum { FAST_FD_LISTEN4, FAST_FD_MAKER, FAST_FD_LISTEN6, FAST_FDS };

// Rules and listeners (guest_tproxy.h), after the tap is up; and a socket pair whose outer end goes
// to bryo-net (FAST_FD_MAKER). Appends two or three descriptors to fds, adds to *n_fds, and gives
// the inner end in *ret_maker. Owned by the caller, all of them. 0, or -errno with *err filled and
// nothing appended: TCP is then libslirp's.
int guest_fast_setup(const struct netconfig *config, int fds[], size_t *n_fds, int *ret_maker,
                     struct err *err);

// Makes sockets for connections to the job's servers until the other end of sock closes: for each
// byte, AF_INET or AF_INET6, a datagram of that byte and up to MAKER_BATCH sockets. Returns 0 or
// -errno. Keeps no capability but CAP_NET_ADMIN (IP_TRANSPARENT and SO_MARK), and a filter of the
// few system calls that it makes.
#define MAKER_BATCH 16
int guest_maker_main(int sock, const struct netconfig *config);

#endif
