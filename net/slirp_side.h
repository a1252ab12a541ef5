// SPDX-License-Identifier: Apache-2.0
// libslirp, as far as bryo-net lets it: it gets frames that were checked and belong to flows that
// were allowed, and what it sends is looked at too. Host side.
#ifndef BRYO_NET_SLIRP_SIDE_H
#define BRYO_NET_SLIRP_SIDE_H

#include "net/netconfig.h"

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct loop;
struct slirp_side;

// A frame for the job.
typedef void slirp_send_fn(void *ctx, const uint8_t *frame, size_t len);

// The version of struct SlirpConfig to speak with a library of this version ("4.7.0"): the highest
// that both sides know (slirp_new(3) refuses a higher one than its own). 0: too old, or no version.
unsigned slirp_side_config_version(const char *library);

int slirp_side_new(const struct netconfig *config, struct loop *loop, slirp_send_fn *send,
                   void *ctx, struct slirp_side **ret, struct err *err);
void slirp_side_free(struct slirp_side *s);

// A TCP port of the machine's that leads to one of the job's, without the fast path. Nothing else
// may be bound to it. 0 or -errno.
struct net_port;
int slirp_side_publish(struct slirp_side *s, const struct netconfig *config,
                       const struct net_port *port);

// A checked frame of the job.
void slirp_side_input(struct slirp_side *s, const uint8_t *frame, size_t len);

// What it waits for: *ret is an array (valid until the next call of this) with room for one more at
// [0]; its own begin at [1]. Returns how many there are of its own; *timeout_ms (-1: for ever) is
// lowered where it has to be called earlier.
size_t slirp_side_wants(struct slirp_side *s, struct pollfd **ret, int *timeout_ms);

// After poll(2) filled the array, or when the timeout passed.
void slirp_side_polled(struct slirp_side *s);

// Whether it has data of the job's for a connection of the machine's that takes no more for now.
bool slirp_side_sending(struct slirp_side *s);

#endif
