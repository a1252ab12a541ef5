// SPDX-License-Identifier: Apache-2.0
// Edge-triggered epoll(7) for thousands of sockets, as one descriptor of a struct loop: the watch
// is found by pointer, where loop.h walks a short list.
#ifndef BRYO_NET_POLL_H
#define BRYO_NET_POLL_H

#include <stdbool.h>
#include <stdint.h>

struct loop;
struct poll;

// Embedded in what is watched. An event may still arrive in the batch in which the descriptor was
// closed: memory that holds a watch is given back by a task, not at once.
struct poll_watch {
    void (*fn)(struct poll_watch *w, uint32_t events);
};

// Run once, after the events of the present batch. May queue itself again: that is then run in the
// next batch, so that one busy connection leaves the others their turn.
struct poll_task {
    void (*fn)(struct poll_task *t);
    struct poll_task *next;
    bool queued;
};

int poll_new(struct loop *loop, struct poll **ret); // -errno on failure
void poll_free(struct poll *p);                     // runs the tasks that are queued; NULL is fine

// events: EPOLL* bits; EPOLLET is added. Closing the descriptor ends it.
int poll_add(struct poll *p, int fd, uint32_t events, struct poll_watch *w);
void poll_remove(struct poll *p, int fd);             // to watch it otherwise
void poll_defer(struct poll *p, struct poll_task *t); // queued already: nothing more happens

#endif
