// SPDX-License-Identifier: Apache-2.0
// The fast path: the job's TCP ends in the kernel of its own namespace and is spliced.
//
//   job: connect(2) --- SYN --> tap --> fast_input(): verdict, then connect(2) on the machine
//                                         refused      -> RST frame
//                                         unreachable  -> ICMP frame
//                                         no answer    -> none; the job's kernel asks again
//                                         connected    -> the same SYN is put back into the tap;
//   job's netfilter (guest_nft.h) hands it to the listener --> accepted --> splice.h
//
// So the job's connect(2) succeeds when the machine's has, and fails as that did. All that follows
// runs over the job's "lo" and is seen here as two sockets; addresses are the real ones on both.
#ifndef BRYO_NET_FAST_H
#define BRYO_NET_FAST_H

#include <stdbool.h>
#include <stddef.h>

struct engine;
struct err;
struct fast;
struct frame;
struct splicer;

struct fast_limits {
    unsigned held;  // SYNs that wait for the machine
    unsigned pairs; // connections, those of published ports too
    unsigned pipes;
};

// From RLIMIT_NOFILE, whose soft limit is raised to the hard one: each connection costs two
// descriptors, each pipe two.
struct fast_limits fast_limits_of_process(void);

// listen4, listen6: of guest_tproxy_setup(); the caller's, open as long as this lives; -1: none.
// Sets SIGPIPE to be ignored (splice.h). 0, or -errno with *err filled.
int fast_new(struct engine *engine, const struct fast_limits *limits, int listen4, int listen6,
             struct fast **ret, struct err *err);

// Resets every connection and tells engine_flow_ended() of each. NULL is fine.
void fast_free(struct fast *f);

// splicer_finish() of the connections: how many are still to be waited for.
unsigned fast_finish(struct fast *f);

// A TCP frame of the job. True: it was taken, and answered or held. False: it opens no connection,
// which with the fast path on no frame of an honest job does.
bool fast_input(struct fast *f, const struct frame *frame);

// The tap was read to its end. Not to be told while packets are shaped: then frames that the job
// sent before wait elsewhere as well.
void fast_tap_empty(struct fast *f);

// For published ports, which share the limits and the pump.
struct splicer *fast_splicer(struct fast *f);
bool fast_has_room(const struct fast *f); // for one connection more

#endif
