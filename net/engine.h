// SPDX-License-Identifier: Apache-2.0
// bryo-net's loop: every frame of the job passes one hook.
//
//     tap -> frame_parse() -> fragments: reass.h
//                          -> flow: closed.h (the machine itself), then the user's policy
//                               refused -> RST or ICMP, at once
//                          -> TCP: fast path, where it is on and wants the frame
//                          -> DNS to the job's resolver address: bryo-net's own responder
//                          -> the rest: libslirp
//
// Everything runs in one thread on one struct loop; handlers never block.
#ifndef BRYO_NET_ENGINE_H
#define BRYO_NET_ENGINE_H

#include "net/flow.h"
#include "net/frame.h"
#include "net/netconfig.h"
#include "net/netlog.h"

#include <stddef.h>
#include <stdint.h>

struct engine;
struct err;
struct guest_net_made;
struct loop;

// --- for bryo-net's main
// ------------------------------------------------------------------------------

struct engine_parts {
    const struct netconfig *config; // stays the caller's
    int control;                    // NET_FD_CONTROL
    int routes;                     // of host_local_open()
    struct netlog_files files;
};

int engine_new(const struct engine_parts *parts, struct engine **ret, struct err *err);

// What the inner process made: takes over the descriptors that it keeps.
int engine_attach(struct engine *e, const struct guest_net_made *made, int fds[], struct err *err);

// Until bryo says that the job has ended, or is gone: 0. -errno: it cannot go on.
int engine_run(struct engine *e);
void engine_free(struct engine *e); // NULL is fine

// --- for its parts
// ------------------------------------------------------------------------------------

// For the parts: what they hold of the engine is this pointer.
struct loop *engine_loop(struct engine *e);
const struct netconfig *engine_config(const struct engine *e);

// Writes a frame into the tap, as if the network had sent it. 0, or -errno: -EAGAIN when the job's
// kernel takes no more for now; the frame is lost then, as on a wire.
int engine_inject(struct engine *e, const void *frame, size_t len);

// Tells fast_tap_empty() if that is so.
void engine_look_at_tap(struct engine *e);

// Gives the job back a TCP segment that it sent, for a listener inside (fast.h).
int engine_give_back(struct engine *e, uint8_t *frame, size_t len);

// Decides on a new flow: key is given, the rest is filled in; start_us too. Writes what is due
// about it (a line for the user, the log's line of a refused one).
enum flow_verdict engine_verdict(struct engine *e, struct flow *flow);

// Answers a frame whose flow was refused: RST, or ICMP.
void engine_refuse(struct engine *e, const struct frame *f);

// A flow is over: for the log. Fills end_us.
void engine_flow_ended(struct engine *e, struct flow *flow);

// A line for the user, printed by bryo (to stderr, "bryo: " in front). Bounded in number.
void engine_note(struct engine *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
