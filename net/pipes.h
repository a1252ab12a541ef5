// SPDX-License-Identifier: Apache-2.0
// Pipes for splice(2), shared by all connections: one is held only while bytes are in it.
//
// The kernel counts the pages of a user's pipes (pipe(7), /proc/sys/fs/pipe-user-pages-soft, 64 MiB
// by default, all processes of the user together), so their number is bounded; who gets none
// copies.
#ifndef BRYO_NET_PIPES_H
#define BRYO_NET_PIPES_H

#include <stddef.h>

struct pipes;

struct pipe_ends {
    int read;
    int write;
    size_t size; // bytes it holds
    struct pipe_ends *next;
};

// max: pipes open at once; each is two descriptors.
struct pipes *pipes_new(unsigned max);
void pipes_free(struct pipes *p); // all were given back before; NULL is fine

// NULL when there is none; not an error.
struct pipe_ends *pipes_get(struct pipes *p);

// left: bytes that are still in it; a pipe that is not empty is closed.
void pipes_put(struct pipes *p, struct pipe_ends *ends, size_t left);

#endif
