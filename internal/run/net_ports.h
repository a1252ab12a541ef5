// SPDX-License-Identifier: Apache-2.0
// The machine's ports of --publish: bound here, before anything of the job exists, so that a port
// that cannot be had is told at once; served by bryo-net. Host side.
#ifndef BRYO_RUN_NET_PORTS_H
#define BRYO_RUN_NET_PORTS_H

#include "internal/job/netopts.h"

#include <stddef.h>

struct err;
struct net_port;

struct net_ports {
    struct net_port *v;
    int *fds; // of each: TCP listens, UDP is bound; non-blocking
    size_t n;
};

// A publication without an address is bound for IPv4 and, where the machine has it, IPv6, to one
// port. 0, or -errno with err; nothing stays open then.
int net_ports_bind(const struct net_opts *opts, struct net_ports *ret, struct err *err);

// A line for each port that was chosen here (0 was asked for).
void net_ports_tell(const struct net_opts *opts, const struct net_ports *p);

// Each as docker writes it, "0.0.0.0:8080->80/tcp".
struct strv;
void net_ports_list(const struct net_ports *p, struct strv *out);

void net_ports_close(struct net_ports *p); // a zeroed struct is fine

#endif
