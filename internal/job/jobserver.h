// SPDX-License-Identifier: Apache-2.0
// GNU make's job server, as MAKEFLAGS names it to the commands of a recipe: what a make inside
// needs to share the -j of the one outside. Pure. Source: the GNU make manual, "POSIX Jobserver
// Interaction".
#ifndef BRYO_JOB_JOBSERVER_H
#define BRYO_JOB_JOBSERVER_H

#include <stdbool.h>

struct err;

enum jobserver_kind {
    JOBSERVER_NONE, // make runs one command at a time, or does not share with this one
    JOBSERVER_FDS,  // --jobserver-auth=R,W, and --jobserver-fds=R,W before GNU make 4.2
    JOBSERVER_FIFO, // --jobserver-auth=fifo:PATH, GNU make 4.4 and later
};

struct jobserver {
    enum jobserver_kind kind;
    int read_fd;
    int write_fd;
    char *fifo; // absolute path; the caller frees
};

// makeflags: the value of MAKEFLAGS, or NULL. Of several the last counts, as make itself has it;
// negative descriptors are make's way to say that this command has no part in it.
// -EINVAL for what no make writes.
int jobserver_parse(const char *makeflags, struct jobserver *ret, struct err *err);

// MAKEFLAGS with these descriptors in the place of the FIFO that it names. The caller frees.
char *jobserver_with_fds(const char *makeflags, int read_fd, int write_fd);

void jobserver_done(struct jobserver *j);

#endif
