// SPDX-License-Identifier: Apache-2.0
// Bringing a fresh image to disk beside the job that already runs in it. Host side.
#ifndef BRYO_RUN_SETTLE_H
#define BRYO_RUN_SETTLE_H

#include "internal/run/supervise.h"

#include <stddef.h>
#include <sys/types.h>

struct layers;
struct rootfs;

// A job that is over in a moment is not made to wait for the disk: the image stays as it is then,
// good until the machine stops, and a later run brings it there.
struct settle {
    const struct rootfs *root;
    const struct layers *layers;
    struct loop *loop;
    int timer;
    pid_t pid; // > 0: the process that waits for the disk
};

// s must outlive the job.
struct supervise_part settle_part(struct settle *s);

// Waits for that process, if there is one.
void settle_finish(struct settle *s);

#endif
