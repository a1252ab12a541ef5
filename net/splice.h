// SPDX-License-Identifier: Apache-2.0
// Joins two connected stream sockets: what one sends is sent to the other, until both have ended.
//
// Much data goes by splice(2), without a copy; small messages by recv and send, which is cheaper
// then. The end of one direction is passed on and leaves the other open; a reset, a timeout or a
// failed keep-alive of one end becomes a reset of the other, after what it had sent before; urgent
// data keeps its place. A reader that stalls fills one pipe or a few kilobytes, then the kernel's
// buffers, and then its peer's window is closed: nothing is read that there is no place for.
#ifndef BRYO_NET_SPLICE_H
#define BRYO_NET_SPLICE_H

#include <stdint.h>

struct loop;
struct splicer;

struct splice_end {
    uint64_t a_to_b; // bytes
    uint64_t b_to_a;
    int error; // errno that ended it; 0: both sides ended in order
};
typedef void splice_done_fn(void *ctx, const struct splice_end *end);

// max_pipes: open at once. SIGPIPE must be ignored in the process: splice(2) knows no MSG_NOSIGNAL.
struct splicer *splicer_new(struct loop *loop, unsigned max_pipes);
void splicer_free(struct splicer *s); // resets all connections first, done is called; NULL is fine

// Takes both descriptors, which are non-blocking; sets nothing on them. done (may be NULL) is
// called once. 0, or -errno: the descriptors are closed then, and done is not called.
int splice_join(struct splicer *s, int fd_a, int fd_b, splice_done_fn *done, void *ctx);

// The job has ended. Moves what can be moved, and closes the connections whose two directions have
// nothing that waits: in order where an end was seen, which leaves the rest to the kernel, as the
// end of a process does. Returns how many are still to be waited for.
unsigned splicer_finish(struct splicer *s);

unsigned splicer_count(const struct splicer *s); // connections

// Closes a TCP socket so that its peer sees a reset.
void splice_reset(int fd);

#endif
