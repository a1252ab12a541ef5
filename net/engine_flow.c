// SPDX-License-Identifier: Apache-2.0
// What becomes of a frame: which flow it belongs to, whether that is allowed, who gets it.
#include "net/engine_priv.h"

#include "internal/base/buf.h"
#include "internal/base/cleanup.h"
#include "internal/base/loop.h"
#include "net/echo6.h"
#include "net/fast.h"
#include "net/flows.h"
#include "net/frame_build.h"
#include "net/frame_peek.h"
#include "net/names.h"
#include "net/policy.h"
#include "net/publish.h"
#include "net/reass.h"
#include "net/slirp_side.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#define DNS_PORT 53

// --- verdicts
// --------------------------------------------------------------------------------------

// Once for each destination, and not without end: a job that scans a network must not fill a log.
static bool worth_telling(struct engine *e, const struct flow_key *k)
{
    for (size_t i = 0; i < e->n_told; i++)
        if (e->told[i].key.dport == k->dport && e->told[i].key.proto == k->proto &&
            ip_equal(&e->told[i].key.dst, &k->dst))
            return false;
    if (e->n_told == ENGINE_TOLD_MAX)
        return false;
    e->told[e->n_told++].key = *k;
    return true;
}

enum flow_verdict engine_verdict(struct engine *e, struct flow *flow)
{
    size_t rule;
    flow->start_us = loop_now_us();
    (void)policy_decide(&e->policy, flow, flow->start_us, &rule);
    flow->end_us = flow->verdict == FLOW_ALLOWED ? 0 : flow->start_us;
    netlog_verdict(e->log, flow, rule);
    if (flow->verdict == FLOW_ALLOWED) {
        names_hold(e->names, &flow->key.dst);
        return FLOW_ALLOWED;
    }
    if (worth_telling(e, &flow->key)) {
        AUTO_BUF struct buf line = {0};
        policy_tell(flow, &line);
        engine_note(e, "%s%s", buf_str(&line),
                    e->n_told == ENGINE_TOLD_MAX ? " (further ones are not told)" : "");
    }
    return flow->verdict;
}

void engine_flow_ended(struct engine *e, struct flow *flow)
{
    if (flow->end_us == 0)
        flow->end_us = loop_now_us();
    netlog_ended(e->log, flow);
    if (flow->verdict == FLOW_ALLOWED && !flow->published)
        names_release(e->names, &flow->key.dst, flow->end_us);
}

void engine_on_flow_over(void *ctx, struct flow *flow)
{
    struct engine *e = ctx;
    if (flow->verdict == FLOW_ALLOWED)
        engine_flow_ended(e, flow);
}

void engine_refuse(struct engine *e, const struct frame *f)
{
    size_t n = 0;
    if (f->class == FRAME_TCP && !(f->tcp_flags & FRAME_RST))
        n = frame_build_rst(e->out, f);
    else if (f->class == FRAME_UDP || f->class == FRAME_ECHO)
        n = frame_build_unreach(e->out, f, FRAME_UNREACH_PROHIBITED);
    if (n)
        (void)engine_inject(e, e->out, n);
}

// --- from the job
// ------------------------------------------------------------------------------------

static struct flow_key key_of(const struct frame *f)
{
    return (struct flow_key){.src = f->src,
                             .dst = f->dst,
                             .sport = f->sport,
                             .dport = f->dport,
                             .proto = f->class == FRAME_TCP   ? NET_PROTO_TCP
                                      : f->class == FRAME_UDP ? NET_PROTO_UDP
                                                              : NET_PROTO_ICMP};
}

// The flow of the frame, with its verdict; NULL for TCP that belongs to none and opens none.
static struct flow *flow_of(struct engine *e, const struct frame *f, uint64_t now_us)
{
    struct flow fresh = {.key = key_of(f)};
    struct flow *flow = flows_find(e->flows, &fresh.key, now_us);
    bool opens = (f->tcp_flags & (FRAME_SYN | FRAME_ACK)) == FRAME_SYN;
    if (flow || (f->class == FRAME_TCP && !opens))
        return flow;
    (void)engine_verdict(e, &fresh);
    return flows_add(e->flows, &fresh, now_us);
}

static void to_libslirp(struct engine *e, const struct frame *f)
{
    uint64_t now = loop_now_us();
    struct flow *flow = flow_of(e, f, now);
    if (!flow || flow->verdict != FLOW_ALLOWED)
        return engine_refuse(e, f);
    flows_count(e->flows, flow, true, frame_payload_len(f), f->tcp_flags, now);
    if (f->class == FRAME_ECHO && flow->host.family == IP_V6) { // not what libslirp itself answers
        if (echo6_input(e->echo6, f) == -EACCES)
            engine_refuse(e, f);
        return;
    }
    // The resolver's: see engine_frame_in(). IPv4's address is the one that the job is told of.
    bool resolver = f->class == FRAME_TCP && !flow->published && flow->host_port != f->dport;
    if (resolver && f->dst.family != IP_V4)
        return engine_refuse(e, f);
    if (resolver)
        frame_readdress(f->bytes, f->len, true, &e->config->opts.gateway4, flow->host_port);
    slirp_side_input(e->slirp, f->bytes, f->len);
}

// The frame that the fragment completes, parsed; or one to be dropped.
static void put_together(struct engine *e, const struct frame *f, struct frame *ret)
{
    uint8_t *whole = NULL;
    size_t n = reass_add(e->reass, f, loop_now_us(), &whole);
    frame_parse(whole, n, &e->rules, ret);
}

static void answer_neighbour(struct engine *e, const struct frame *f)
{
    size_t n = frame_build_neighbour(e->out, f, &e->rules);
    if (n)
        (void)engine_inject(e, e->out, n);
}

void engine_frame_out(struct engine *e, struct frame *f)
{
    struct frame whole;
    if (f->class == FRAME_FRAGMENT) {
        put_together(e, f, &whole);
        f = &whole;
    }
    switch (f->class) {
    case FRAME_DROP:
    case FRAME_FRAGMENT:
        return;
    case FRAME_ARP:
    case FRAME_NDP:
        return answer_neighbour(e, f);
    case FRAME_UDP:
        if (engine_is_dns(e, f))
            return engine_dns_frame(e, f);
        if (e->publish && publish_input(e->publish, f))
            return;
        return to_libslirp(e, f);
    case FRAME_TCP:
        if (e->fast) {
            if (fast_input(e->fast, f))
                return;
            // What opens no connection comes this way when packets are shaped; else only when the
            // job took its rules away.
            if (e->shape)
                (void)engine_give_back(e, f->bytes, f->len);
            else
                engine_refuse(e, f);
            return;
        }
        return to_libslirp(e, f);
    case FRAME_ECHO:
        return to_libslirp(e, f);
    }
}

// --- to the job
// --------------------------------------------------------------------------------------

// Whether what comes to this port of the job comes from a published one of the machine's.
static bool is_published(const struct engine *e, const struct flow_key *k)
{
    for (size_t i = 0; i < e->config->n_ports; i++)
        if (e->config->ports[i].job == k->sport &&
            e->config->ports[i].udp == (k->proto == NET_PROTO_UDP))
            return k->proto == NET_PROTO_TCP || k->proto == NET_PROTO_UDP;
    return false;
}

void engine_frame_in(void *ctx, const uint8_t *bytes, size_t len)
{
    struct engine *e = ctx;
    struct frame_peek p;
    uint64_t now = loop_now_us();
    if (!frame_peek(bytes, len, &p))
        return; // a router advertisement: the job's addresses are set, and stay
    // The resolver by TCP listens on the machine's loopback, which libslirp has at the gateway.
    if (p.is_flow && p.key.proto == NET_PROTO_TCP && p.key.dport == e->policy.dns_port &&
        ip_equal(&p.key.dst, &e->config->opts.gateway4) && len <= FRAME_MAX) {
        memcpy(e->out, bytes, len);
        frame_readdress(e->out, len, false, &e->config->opts.dns4, DNS_PORT);
        bytes = e->out;
        (void)frame_peek(bytes, len, &p);
    }
    if (p.is_flow) {
        struct flow *flow = flows_find(e->flows, &p.key, now);
        if (!flow && is_published(e, &p.key)) {
            struct flow fresh = {
                .key = p.key, .host = p.key.dst, .published = true, .start_us = now};
            names_hold(e->names, &p.key.dst);
            flow = flows_add(e->flows, &fresh, now);
        }
        // libslirp hands in what anybody sends to a port that the job once sent from. The job asked
        // only those to whom it has a flow, and to answer others would be a flow that no rule saw.
        if (!flow && p.key.proto == NET_PROTO_UDP)
            return;
        if (flow)
            flows_count(e->flows, flow, false, p.payload_len, p.tcp_flags, now);
    }
    (void)engine_inject(e, bytes, len);
}
