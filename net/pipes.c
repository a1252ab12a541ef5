// SPDX-License-Identifier: Apache-2.0
#include "net/pipes.h"

#include "internal/base/buf.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

// A pipe's buffers each hold one fragment of a socket buffer, up to 32 KiB: a pipe of this size
// moves several times as much, and a bigger one brought nothing.
enum { PIPE_SIZE = 256 << 10 };

// Kept open for the next connection that moves much.
enum { MAX_IDLE = 8 };

struct pipes {
    unsigned max;
    unsigned n_open;
    unsigned n_idle;
    struct pipe_ends *idle;
};

struct pipes *pipes_new(unsigned max)
{
    struct pipes *p = mem_alloc(sizeof(*p));
    p->max = max;
    return p;
}

static void close_ends(struct pipes *p, struct pipe_ends *ends)
{
    (void)close(ends->read);
    (void)close(ends->write);
    free(ends);
    p->n_open--;
}

void pipes_free(struct pipes *p)
{
    if (!p)
        return;
    while (p->idle) {
        struct pipe_ends *ends = p->idle;
        p->idle = ends->next;
        close_ends(p, ends);
    }
    free(p);
}

static struct pipe_ends *open_ends(struct pipes *p)
{
    int fds[2];
    if (p->n_open >= p->max || pipe2(fds, O_CLOEXEC | O_NONBLOCK) < 0)
        return NULL;
    struct pipe_ends *ends = mem_alloc(sizeof(*ends));
    // Refused when the user's share is used up: the pipe then is as the kernel made it.
    int size = fcntl(fds[1], F_SETPIPE_SZ, PIPE_SIZE);
    if (size < 0)
        size = fcntl(fds[1], F_GETPIPE_SZ);
    *ends = (struct pipe_ends){
        .read = fds[0], .write = fds[1], .size = size > 0 ? (size_t)size : PIPE_SIZE};
    p->n_open++;
    return ends;
}

struct pipe_ends *pipes_get(struct pipes *p)
{
    struct pipe_ends *ends = p->idle;
    if (!ends)
        return open_ends(p);
    p->idle = ends->next;
    p->n_idle--;
    return ends;
}

void pipes_put(struct pipes *p, struct pipe_ends *ends, size_t left)
{
    if (left > 0 || p->n_idle >= MAX_IDLE) {
        close_ends(p, ends);
        return;
    }
    ends->next = p->idle;
    p->idle = ends;
    p->n_idle++;
}
