// SPDX-License-Identifier: Apache-2.0
// The process of bryo-net's that goes into the job's namespaces, makes what has to be made there
// (guest_net.h), hands it out and ends. It is forked early and waits for the namespaces to exist.
#ifndef BRYO_NET_INNER_H
#define BRYO_NET_INNER_H

#include "net/guest_net.h"

struct err;
struct netconfig;

// Forks it. *ret_sock: what it made arrives there.
int inner_start(const struct netconfig *config, int *ret_sock, struct err *err);

// Waits for what it made. -ECONNRESET with err: it failed, and has told the job why.
int inner_wait(int sock, struct guest_net_made *made, int fds[GUEST_NET_FDS], struct err *err);

#endif
