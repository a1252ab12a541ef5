// SPDX-License-Identifier: Apache-2.0
#include "net/flows.h"

#include "internal/base/buf.h"
#include "net/frame.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SECOND UINT64_C(1000000)

// Beyond what libslirp keeps: it forgets a silent UDP socket after four minutes.
#define UDP_IDLE    (240 * SECOND)
#define ICMP_IDLE   (30 * SECOND)
#define TCP_CLOSED  (10 * SECOND) // for what is still on its way
#define TCP_OPENING (180 * SECOND)
#define TCP_IDLE    (UINT64_C(86400) * SECOND)
#define REFUSED     (5 * SECOND) // a retry is decided anew soon

struct entry {
    struct flow flow; // first: a struct flow * of ours is one of these
    struct entry *next_in_bucket;
    struct entry *newer; // by the last packet
    struct entry *older;
    uint64_t last_us;
    bool fin_out;
    bool fin_in;
    bool reset;
    bool answered;
};

struct flows {
    size_t max;
    size_t n;
    size_t n_buckets; // a power of two
    struct entry **buckets;
    struct entry *newest;
    struct entry *oldest;
    flows_ended_fn *ended;
    void *ctx;
};

static uint64_t mix(uint64_t h, const void *bytes, size_t n)
{
    const uint8_t *p = bytes;
    for (size_t i = 0; i < n; i++)
        h = (h ^ p[i]) * UINT64_C(0x100000001b3);
    return h;
}

// A job that looks for collisions slows down itself, and its table is bounded.
static size_t bucket_of(const struct flows *t, const struct flow_key *k)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    size_t n = k->dst.family == IP_V4 ? 4 : 16;
    h = mix(h, k->dst.bytes, n);
    h = mix(h, &k->sport, sizeof(k->sport));
    h = mix(h, &k->dport, sizeof(k->dport));
    h ^= (uint64_t)k->proto << 32;
    h ^= h >> 29;
    return (size_t)h & (t->n_buckets - 1);
}

struct flows *flows_new(size_t max, flows_ended_fn *ended, void *ctx)
{
    struct flows *t = mem_alloc(sizeof(*t));
    t->max = max;
    t->n_buckets = 64;
    while (t->n_buckets < max)
        t->n_buckets *= 2;
    t->buckets = mem_alloc(t->n_buckets * sizeof(struct entry *));
    t->ended = ended;
    t->ctx = ctx;
    return t;
}

static void unlink_entry(struct flows *t, struct entry *e)
{
    *(e->newer ? &e->newer->older : &t->newest) = e->older;
    *(e->older ? &e->older->newer : &t->oldest) = e->newer;
    e->newer = e->older = NULL;
}

static void link_newest(struct flows *t, struct entry *e)
{
    e->newer = NULL;
    e->older = t->newest;
    *(t->newest ? &t->newest->newer : &t->oldest) = e;
    t->newest = e;
}

static bool is_closed(const struct entry *e)
{
    return e->reset || (e->fin_in && e->fin_out);
}

static void end(struct flows *t, struct entry *e)
{
    struct entry **p = &t->buckets[bucket_of(t, &e->flow.key)];
    while (*p != e)
        p = &(*p)->next_in_bucket;
    *p = e->next_in_bucket;
    unlink_entry(t, e);
    t->n--;
    // It is noticed later than it happened.
    if (e->flow.end_us == 0 && (e->flow.key.proto != NET_PROTO_TCP || is_closed(e)))
        e->flow.end_us = e->last_us;
    t->ended(t->ctx, &e->flow);
    free(e);
}

void flows_free(struct flows *t)
{
    if (!t)
        return;
    while (t->oldest)
        end(t, t->oldest);
    free(t->buckets);
    free(t);
}

static bool same_key(const struct flow_key *a, const struct flow_key *b)
{
    return a->sport == b->sport && a->dport == b->dport && a->proto == b->proto &&
           ip_equal(&a->dst, &b->dst) && ip_equal(&a->src, &b->src);
}

static uint64_t patience(const struct entry *e)
{
    if (e->flow.verdict != FLOW_ALLOWED)
        return REFUSED;
    if (e->flow.key.proto == NET_PROTO_UDP)
        return UDP_IDLE;
    if (e->flow.key.proto == NET_PROTO_ICMP)
        return ICMP_IDLE;
    if (is_closed(e))
        return TCP_CLOSED;
    return e->answered ? TCP_IDLE : TCP_OPENING;
}

static bool is_over(const struct entry *e, uint64_t now_us)
{
    return now_us >= e->last_us + patience(e);
}

struct flow *flows_find(struct flows *t, const struct flow_key *key, uint64_t now_us)
{
    struct entry *e = t->buckets[bucket_of(t, key)];
    while (e && !same_key(&e->flow.key, key))
        e = e->next_in_bucket;
    if (e && is_over(e, now_us)) {
        end(t, e);
        e = NULL;
    }
    return e ? &e->flow : NULL;
}

struct flow *flows_add(struct flows *t, const struct flow *flow, uint64_t now_us)
{
    if (t->n >= t->max)
        end(t, t->oldest);
    struct entry *e = mem_alloc(sizeof(*e));
    e->flow = *flow;
    e->last_us = now_us;
    struct entry **bucket = &t->buckets[bucket_of(t, &flow->key)];
    e->next_in_bucket = *bucket;
    *bucket = e;
    link_newest(t, e);
    t->n++;
    return &e->flow;
}

void flows_count(struct flows *t, struct flow *flow, bool out, size_t payload, uint8_t tcp_flags,
                 uint64_t now_us)
{
    struct entry *e = (struct entry *)(void *)flow;
    *(out ? &flow->bytes_out : &flow->bytes_in) += payload;
    if (tcp_flags & FRAME_FIN)
        *(out ? &e->fin_out : &e->fin_in) = true;
    if (tcp_flags & FRAME_RST) {
        e->reset = true;
        if (!e->answered && out == flow->published)
            flow->error = ECONNREFUSED;
    }
    // Answered: whoever was asked did so with something else than a refusal.
    if (out == flow->published && !(tcp_flags & FRAME_RST))
        e->answered = true;
    e->last_us = now_us;
    if (t->newest != e) {
        unlink_entry(t, e);
        link_newest(t, e);
    }
}

bool flows_open_tcp(const struct flows *t)
{
    for (const struct entry *e = t->newest; e; e = e->older)
        if (e->flow.key.proto == NET_PROTO_TCP && e->flow.verdict == FLOW_ALLOWED && e->answered &&
            !e->fin_out && !e->reset)
            return true;
    return false;
}

size_t flows_expire(struct flows *t, uint64_t now_us)
{
    struct entry *e = t->oldest;
    while (e) {
        struct entry *newer = e->newer;
        if (is_over(e, now_us))
            end(t, e);
        e = newer;
    }
    return t->n;
}
