// SPDX-License-Identifier: Apache-2.0
// Carries bytes from one descriptor to another inside the loop: a terminal's two directions, and
// job output that --stall-timeout wants to see pass or that goes through a filter. Never blocks the
// loop, and never holds more than one buffer: a reader that stalls makes the writer wait, as a pipe
// does.
#ifndef BRYO_JOBS_RELAY_H
#define BRYO_JOBS_RELAY_H

#include "internal/base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct loop;
struct outfilter;

// Called after bytes were carried (ended false) and once when nothing more will come (ended true).
typedef void relay_fn(void *ctx, bool ended);

struct relay {
    struct loop *loop;
    int from;
    int to;
    relay_fn *fn;
    void *ctx;
    struct outfilter *filter; // may be NULL; the caller's
    void (*leave)(void *ctx); // Ctrl-P Ctrl-Q was typed, which is not carried; NULL: it is
    bool held;                // a Ctrl-P waits for what follows it
    struct buf filtered;
    int pause_timer;  // the filter holds something back, and nothing came since
    bool ended;       // what is still to be written is all
    const char *data; // buf or filtered
    size_t off;       // of what data still holds
    size_t len;
    bool to_is_plain; // a file: always ready, and not for epoll
    bool goes_on;     // what cannot be written to a file is lost, and that is said there
    uint64_t lost;    // so many bytes since it last could be
    int why;          // errno of that
    bool active;
    char buf[65536];
};

// from and to stay the caller's, and must not be watched by the loop otherwise. r->filter, r->leave
// and r->goes_on are set before (the struct is zeroed otherwise).
int relay_start(struct relay *r, struct loop *loop, int from, int to, relay_fn *fn, void *ctx);
void relay_stop(struct relay *r); // fn is not called

// Whoever wrote has ended: if all that came was written, that was the end, whoever else still holds
// the other end of r->from. fn is called then.
void relay_finish(struct relay *r);

#endif
