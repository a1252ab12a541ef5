// SPDX-License-Identifier: Apache-2.0
// Giving files that a job's subordinate ids own back to the user who ran the job: such an owner is
// a number to which nobody answers, and the user could not even remove what it owns. Host side.
#ifndef BRYO_ROOTS_HOST_HANDBACK_H
#define BRYO_ROOTS_HOST_HANDBACK_H

#include <stdint.h>
#include <time.h>

struct err;
struct idmaps;

struct handback {
    const char *dir;           // its tree; file systems mounted in it are passed over
    const char *store;         // passed over as well: images keep their owners. NULL: none
    const struct idmaps *maps; // what they map besides the user's own id is what is looked for
    struct timespec since;     // CLOCK_REALTIME: only what changed then or later; {0}: all
};

struct handback_result {
    uint64_t n;    // files and directories that are the user's now
    uint64_t left; // that could not be given back
};

// Nothing but a look at each file where nothing is to be done, no look at all where maps hold the
// user's id alone. Directories become writable by their owner. A file's set-user-ID bit goes with
// its owner, as chown(2) has it.
// 0; -errno where dir cannot be read, or there can be no user namespace to do it in.
int host_handback(const struct handback *h, struct handback_result *ret, struct err *err);

#endif
