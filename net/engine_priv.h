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
struct slirp_side;

#define ENGINE_TOLD_MAX 20 // refused destinations that the user is told of

struct engine {
    const struct netconfig *config;
    struct loop *loop;
    int tap;
    int control;
    int routes; // host_local.h
    struct frame_rules rules;
    struct slirp_side *slirp;
    struct flows *flows;
    struct names *names;
    struct policy policy;
    struct dns *dns;
    struct {
        struct flow_key key; // without the job's end
    } told[ENGINE_TOLD_MAX];
    size_t n_told;
    int expire_timer;
    uint8_t *in;  // FRAME_MAX bytes: the frame that is looked at
    uint8_t *out; // FRAME_MAX bytes: the answer to it
};

// engine_dns.c: the job's resolver
int engine_dns_new(struct engine *e);
void engine_dns_frame(struct engine *e, const struct frame *f);
bool engine_is_dns(const struct engine *e, const struct frame *f);

// engine_flow.c
void engine_frame_out(struct engine *e, struct frame *f);
void engine_frame_in(void *ctx, const uint8_t *frame, size_t len);
void engine_on_flow_over(void *ctx, struct flow *flow);

#endif
