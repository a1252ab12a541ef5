// SPDX-License-Identifier: Apache-2.0
// What the files of the fast path share; of no interest to others.
#ifndef BRYO_NET_FAST_PRIV_H
#define BRYO_NET_FAST_PRIV_H

#include "internal/base/loop.h"
#include "net/fast.h"
#include "net/held.h"
#include "net/ipsock.h"

#include <sys/socket.h>

struct fast_listener {
    struct loop_watch watch;
    struct fast *fast;
    int fd;
};

struct fast {
    struct engine *engine;
    struct fast_limits limits;
    struct loop *loop;
    struct splicer *splicer;
    struct held_table *table;
    struct fast_listener listener[2];
    struct held *spent; // those of the table that are done with
    unsigned n_spent;
    int tick; // a timer, while SYNs are held
};

// One that is spliced.
struct fast_conn {
    struct fast *fast;
    struct flow *flow;
};

// connect(2), and once more if that is under way: 0, -EINPROGRESS, or -errno of the failure.
int fast_connect(int fd, const union ipsock *to, socklen_t n);

// TCP_NODELAY, since what came is to go on at once; keep-alive, so that a dead peer is noticed.
void fast_socket_options(int fd);

#endif
