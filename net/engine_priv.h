// SPDX-License-Identifier: Apache-2.0
// The engine's own parts (engine.c, engine_flow.c, engine_run.c).
#ifndef BRYO_NET_ENGINE_PRIV_H
#define BRYO_NET_ENGINE_PRIV_H

#include "net/engine.h"
#include "net/policy.h"

#include <stdbool.h>

struct dns;
struct fast;
struct flows;
struct names;
struct publish;
struct reass;
struct shape;
struct slirp_side;

#define ENGINE_TOLD_MAX 20 // refused destinations that the user is told of

struct engine {
    const struct netconfig *config;
    struct loop *loop;
    int tap;
    int listen4, listen6, maker; // guest_fast.h; -1: none
    struct fast *fast;           // NULL: libslirp carries TCP too
    struct shape *shape;         // NULL: the network as it is
    struct publish *publish;     // NULL: no ports
    struct echo6 *echo6;
    int control;
    int routes; // host_local.h
    struct frame_rules rules;
    struct slirp_side *slirp;
    struct flows *flows;
    struct reass *reass;
    struct names *names;
    struct policy policy;
    struct dns *dns;
    struct dns_tcp *dns_tcp;
    struct netlog *log;
    struct {
        struct flow_key key; // without the job's end
    } told[ENGINE_TOLD_MAX];
    size_t n_told;
    struct strv told_names; // at most ENGINE_TOLD_MAX
    int expire_timer;
    bool ending;  // the job has ended
    uint8_t *in;  // FRAME_MAX bytes: the frame that is looked at
    uint8_t *out; // FRAME_MAX bytes: the answer to it
};

// engine_dns.c: the job's resolver
int engine_dns_new(struct engine *e, struct err *err);
void engine_dns_free(struct engine *e);
void engine_dns_frame(struct engine *e, const struct frame *f);
bool engine_is_dns(const struct engine *e, const struct frame *f);

// engine_flow.c
void engine_frame_out(struct engine *e, struct frame *f);
void engine_frame_in(void *ctx, const uint8_t *frame, size_t len);
void engine_on_flow_over(void *ctx, struct flow *flow);

#endif
