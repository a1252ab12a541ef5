// SPDX-License-Identifier: Apache-2.0
// A file that is there whole or not at all: written without a name, and named at the end. Host
// side.
#ifndef BRYO_ROOTS_HOST_OUTPUT_H
#define BRYO_ROOTS_HOST_OUTPUT_H

#include "internal/base/cleanup.h"

struct err;

struct host_output {
    int fd; // open for reading too, unless it is standard output
    int dirfd;
    char *name;    // in dirfd; NULL: nothing is to be named (standard output, a device)
    char temp[40]; // its name until then; "" while it has none
};

// path "-": standard output, which must be no terminal.
int host_output_open(const char *path, struct host_output *ret, struct err *err);

// Gives it its name; what had that name is replaced.
int host_output_publish(struct host_output *o, struct err *err);
void host_output_done(struct host_output *o); // drops what was not published
#define AUTO_OUTPUT AUTO(host_output_done)

#endif
