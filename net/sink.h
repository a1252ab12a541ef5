// SPDX-License-Identifier: Apache-2.0
// A descriptor that much is written to in small pieces: gathered, and written a few times a second.
// Host side.
#ifndef BRYO_NET_SINK_H
#define BRYO_NET_SINK_H

#include <stdbool.h>
#include <stddef.h>

struct loop;
struct sink;

#define SINK_EACH_US  UINT64_C(200000)
#define SINK_FULL     (64U << 10) // bytes that are written at once
#define SINK_WAIT_MAX (4U << 20)  // bytes that wait for a slow reader (a pipe, a FIFO)

// fd stays the caller's, and should be non-blocking.
struct sink *sink_new(struct loop *loop, int fd);

// Takes all of it or, when too much waits or writing has failed, nothing: false.
bool sink_add(struct sink *s, const void *bytes, size_t n);

// errno of the write(2) that failed, after which nothing is taken any more; 0: none.
int sink_error(const struct sink *s);

// Writes what waits, unless the reader is slow, and frees. NULL is fine.
void sink_free(struct sink *s);

#endif
