// SPDX-License-Identifier: Apache-2.0
// What a job prints, on its way through bryo: pipes in the place of 1 and 2, or the master of its
// terminal with the user's terminal before it. A job that writes to bryo's own descriptors needs
// none of this. Host side.
#ifndef BRYO_JOBS_JOB_OUTPUT_H
#define BRYO_JOBS_JOB_OUTPUT_H

#include "internal/jobs/host_tty.h"

#include <stdbool.h>

struct err;
struct loop;
struct outfilter;
struct relay;

enum job_relay { RELAY_OUT, RELAY_ERR, RELAY_IN, RELAYS };

struct job_output {
    struct loop *loop;
    void (*passed)(void *ctx); // something was carried
    void (*ended)(void *ctx);  // one direction is over: see job_output_pending()
    void (*left)(void *ctx);   // job_output_input(): the user typed Ctrl-P Ctrl-Q; or NULL
    void *ctx;
    struct outfilter *filters[2]; // of 1 (and a terminal) and 2; NULL: as it is
    bool goes_on;  // to a file that has no room left (relay.h): else the job's writing fails
    int *pipes;    // the caller's, two read ends or -1; closed once nobody takes what comes of them
    int master;    // of the job's terminal
    int master_in; // the same once more: epoll watches a descriptor in one way only
    struct host_tty tty;
    struct relay *relays[RELAYS];
};

#define JOB_OUTPUT_NONE                                                \
    (struct job_output)                                                \
    {                                                                  \
        .master = -1, .master_in = -1, .tty = {.fd = -1, .guard = -1 } \
    }

// Carries what comes out of o->pipes to bryo's own 1 and 2. The fields above master are the
// caller's to fill first.
int job_output_start(struct job_output *o, struct err *err);

// The job has a terminal: carries what it prints, and (interactive) what the user types; the user's
// terminal becomes raw. Owns master from here on.
int job_output_tty(struct job_output *o, int master, bool interactive, struct err *err);

// Only hands on what the user types, to the master of a job's terminal or to a pipe; owned from
// here on. Where it is a terminal the user's becomes raw.
int job_output_input(struct job_output *o, int to, bool tty, struct err *err);

// The user's window changed: tells the job's terminal. False where the job has none.
bool job_output_resize(struct job_output *o);

// What was started writes no more: what others that it left behind may still write is not waited
// for. To be called again until nothing is pending.
void job_output_finish(struct job_output *o);

// Output of the job may still be on its way.
bool job_output_pending(const struct job_output *o);

// The user's terminal is as it was, everything is closed.
void job_output_done(struct job_output *o);

#endif
