// SPDX-License-Identifier: Apache-2.0
// A job's network of its own: bryo-net, from its start before the namespaces exist to its end after
// the job's. Host side, but for the three functions that the job's own processes call.
#ifndef BRYO_RUN_JOB_NETWORK_H
#define BRYO_RUN_JOB_NETWORK_H

#include "internal/job/netopts.h"
#include "internal/run/net_files.h"
#include "internal/run/net_ports.h"
#include "internal/run/resolv_watch.h"
#include "internal/run/supervise.h"

#include <stdbool.h>
#include <sys/types.h>

struct err;
struct sandbox_network;

struct job_network {
    enum network_mode mode; // what it has come to
    pid_t pid;              // of bryo-net; 0: none
    struct net_ports ports; // until bryo-net has them
    struct strv published;  // net_ports_list()
    int control;            // ours
    int birth;              // the job's end
    int spawned;            // proc_spawn_begin(): what became of the exec
    struct supervisor *supervisor;
    struct loop *loop;
    bool ending; // the job has ended: bryo-net may go
    const struct net_opts *opts;
    struct net_files files;
    struct resolv_watch resolv;
};

#define JOB_NETWORK_NONE \
    ((struct job_network){.control = -1, .birth = -1, .spawned = -1, .files = NET_FILES_NONE})

// Chooses the mode and starts bryo-net where it takes one. A note is printed where the default
// cannot be had. In the background bryo-net has none of the caller's standard files.
int job_network_start(struct job_network *n, const struct net_opts *opts, bool background,
                      struct err *err);

// What the sandbox is to call, in the job's own processes.
void job_network_hooks(struct job_network *n, struct sandbox_network *ret);

// The part of the supervisor's.
struct supervise_part job_network_part(struct job_network *n);

// Nothing in the job can send any more: bryo-net carries what is on its way, and ends. The part
// does it when the job has ended; it may be done as soon as its processes have.
void job_network_end(struct job_network *n);

// Ends bryo-net, if it is still there, and waits for it.
void job_network_done(struct job_network *n);

#endif
