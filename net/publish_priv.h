// SPDX-License-Identifier: Apache-2.0
// What the two halves of the published ports share.
#ifndef BRYO_NET_PUBLISH_PRIV_H
#define BRYO_NET_PUBLISH_PRIV_H

#include "net/engine.h"
#include "net/ipsock.h"

#include <stdbool.h>

struct fast;
struct frame;
struct publish_tcp;
struct publish_udp;

struct publish {
    struct publish_tcp *tcp;
    struct publish_udp *udp;
};

// Who the job sees: the client, but the gateway in place of the machine's loopback. job: where it
// is reached, of the same family. False: it cannot be reached in that family.
bool publish_route(const struct netconfig *config, const struct ip_addr *client,
                   struct ip_addr *ret_seen, struct ip_addr *ret_job);

struct publish_tcp *publish_tcp_new(struct engine *engine, struct fast *fast, int maker,
                                    struct err *err);
void publish_tcp_free(struct publish_tcp *p);

struct publish_udp *publish_udp_new(struct engine *engine, struct err *err);
void publish_udp_free(struct publish_udp *p);
bool publish_udp_input(struct publish_udp *p, const struct frame *frame);

#endif
