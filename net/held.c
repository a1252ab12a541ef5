// SPDX-License-Identifier: Apache-2.0
#include "net/held.h"

#include "internal/base/buf.h"

#include <stdlib.h>
#include <string.h>

enum { SECOND = 1000000 };

// How long a handshake over the job's "lo" may take, on a machine that is very busy.
enum { HANDSHAKE_MAX = 20 * SECOND };

// As long as a second SYN may be on its way, where packets are shaped.
enum { DONE_KEPT = 3 * SECOND };

// The first repetition is due after one second (TCP_TIMEOUT_INIT).
enum { FIRST_WAIT = 4 * SECOND };

enum { BUCKETS = 4096 };

struct held_table {
    unsigned max;
    unsigned n;
    struct held *bucket[BUCKETS];
};

struct held_table *held_table_new(unsigned max)
{
    struct held_table *t = mem_alloc(sizeof(*t));
    t->max = max;
    return t;
}

void held_table_free(struct held_table *t)
{
    free(t);
}

// The job may choose its ports so that they collide: it then waits for itself, max is small.
static struct held **bucket_of(struct held_table *t, const struct flow_key *key)
{
    uint32_t h = 2166136261; // FNV-1a
    for (size_t i = 0; i < sizeof(key->dst.bytes); i++)
        h = (h ^ key->dst.bytes[i]) * 16777619;
    h = (h ^ key->sport) * 16777619;
    h = (h ^ key->dport) * 16777619;
    return &t->bucket[(h ^ h >> 16) % BUCKETS];
}

static bool same_key(const struct flow_key *a, const struct flow_key *b)
{
    return a->sport == b->sport && a->dport == b->dport && ip_equal(&a->dst, &b->dst) &&
           ip_equal(&a->src, &b->src);
}

struct held *held_find(struct held_table *t, const struct flow_key *key)
{
    for (struct held *h = *bucket_of(t, key); h; h = h->next)
        if (same_key(&h->flow->key, key))
            return h;
    return NULL;
}

struct held *held_add(struct held_table *t, const struct flow_key *key)
{
    if (t->n >= t->max)
        return NULL;
    struct held *h = mem_alloc(sizeof(*h));
    h->fd = -1;
    h->flow = mem_alloc(sizeof(*h->flow));
    h->flow->key = *key;
    struct held **bucket = bucket_of(t, key);
    h->next = *bucket;
    *bucket = h;
    t->n++;
    return h;
}

void held_remove(struct held_table *t, struct held *h)
{
    struct held **at = bucket_of(t, &h->flow->key);
    while (*at && *at != h)
        at = &(*at)->next;
    if (!*at)
        return;
    *at = h->next;
    t->n--;
}

unsigned held_count(const struct held_table *t)
{
    return t->n;
}

void held_each(struct held_table *t, void (*fn)(struct held *h, void *ctx), void *ctx)
{
    for (size_t i = 0; i < BUCKETS; i++) {
        for (struct held *h = t->bucket[i], *next; h; h = next) {
            next = h->next;
            fn(h, ctx);
        }
    }
}

bool held_expired(const struct held *h, uint64_t now)
{
    switch (h->state) {
    case HELD_CONNECTING:
        return now > h->last + 2 * (h->last - h->first) + FIRST_WAIT;
    case HELD_INJECTED:
        return now > h->since + HANDSHAKE_MAX;
    case HELD_DONE:
    case HELD_REFUSED:
        break;
    }
    return now > h->since + DONE_KEPT;
}
