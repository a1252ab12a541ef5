// SPDX-License-Identifier: Apache-2.0
// bryo-unpack shuts itself in before it reads the first byte of a stranger's file.
//
// What is left when it has: an empty root (the destination), no other mount, no network, no other
// process in reach, four capabilities that count inside the user namespace only, no way to get
// more, a Landlock fence around that root, bounds on memory, processor time, descriptors and file
// sizes, and the system calls of confine_calls.c.
#ifndef BRYO_IMAGE_CONFINE_H
#define BRYO_IMAGE_CONFINE_H

#include <stdbool.h>
#include <stdint.h>

struct err;

enum confine_for {
    CONFINE_DIGEST, // reads one descriptor, writes another
    CONFINE_UNPACK, // creates files
    CONFINE_VERIFY, // reads files
    CONFINE_PACK,   // reads files, writes one descriptor, on several threads
    CONFINE_REPACK, // reads and writes descriptors, on several threads
};

struct confinement {
    enum confine_for what;
    int root_fd; // becomes "/" and the working directory; -1: none, as for CONFINE_DIGEST
    uint64_t max_file_size; // RLIMIT_FSIZE
};

// Where root_fd is given: as root of a user namespace. One thread only.
int confine(const struct confinement *c, struct err *err);

// The part of it that is a seccomp(2) filter.
int confine_calls(enum confine_for what, struct err *err);

// Whether this build can be confined by a list of system calls: a sanitizer needs more of them, and
// more memory, than the program does.
bool confine_is_sanitized(void);

#endif
