// SPDX-License-Identifier: Apache-2.0
// A bryo-unpack that is running: started with its descriptors, listened to, ended. Host side.
#ifndef BRYO_ROOTS_HOST_WORKER_H
#define BRYO_ROOTS_HOST_WORKER_H

#include "internal/base/proc.h"
#include "internal/image/unpack_wire.h"
#include "internal/sandbox/userns.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct err;
struct idmaps;

struct host_worker {
    int report; // our end; -1: was not started
    bool in_userns;
    struct userns_task task; // in_userns
    pid_t pid;               // otherwise
    bool ended;              // it said its last word
    struct wire_record last;
};

struct host_worker_plan {
    char **argv;
    struct proc_fd fds[4]; // room for UNPACK_FD_REPORT, which is added
    size_t n_fds;
};

// Starts it as root of a new user namespace with these maps, without a network; maps NULL: as the
// user, in no namespace of its own.
int host_worker_start(struct host_worker *h, const struct idmaps *maps,
                      struct host_worker_plan *plan, struct err *err);
void host_worker_kill(struct host_worker *h);

// One record. 1: there was one; 0: the channel is closed; -EAGAIN: not now.
int host_worker_receive(struct host_worker *h, struct wire_record *ret);
bool host_worker_is_last_word(enum wire_kind kind);

// Waits for its end. The reason of a failure is what it said, or what the kernel says of its end.
int host_worker_finish(struct host_worker *h, struct err *err);

// What it says before its last word.
typedef void host_worker_fn(void *ctx, const struct wire_record *rec);

// A whole bryo-unpack, from its start to its end: argv[0] is put in, each (NULL: nothing) hears of
// what it says meanwhile, and its last word, which has to be of the kind that is wanted, is *ret.
int host_worker_ask(const struct idmaps *maps, struct host_worker_plan *plan, enum wire_kind want,
                    host_worker_fn *each, void *ctx, struct wire_record *ret, struct err *err);

#endif
