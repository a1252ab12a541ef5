// SPDX-License-Identifier: Apache-2.0
// Carries bytes from one descriptor to another inside the loop: a terminal's two directions, and
// job output that --stall-timeout wants to see pass. Never blocks the loop, and never holds more
// than one buffer: a reader that stalls makes the writer wait, as a pipe does.
#ifndef BRYO_RUN_RELAY_H
#define BRYO_RUN_RELAY_H

#include <stdbool.h>
#include <stddef.h>

struct loop;

// Called after bytes were carried (ended false) and once when nothing more will come (ended true).
typedef void relay_fn(void *ctx, bool ended);

struct relay {
    struct loop *loop;
    int from;
    int to;
    relay_fn *fn;
    void *ctx;
    size_t off; // of what buf still holds
    size_t len;
    bool to_is_plain; // a file: always ready, and not for epoll
    bool active;
    char buf[65536];
};

// from and to stay the caller's, and must not be watched by the loop otherwise.
int relay_start(struct relay *r, struct loop *loop, int from, int to, relay_fn *fn, void *ctx);
void relay_stop(struct relay *r); // fn is not called

#endif
