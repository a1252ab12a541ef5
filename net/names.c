// SPDX-License-Identifier: Apache-2.0
// A hash of addresses; each has a list of names, the one added last first.
#include "net/names.h"

#include "internal/base/buf.h"

#include <stdlib.h>
#include <string.h>

#define BUCKETS 1024

struct name {
    struct name *next;
    uint64_t end_us;
    bool asked;
    char text[];
};

struct node {
    struct node *next;
    struct ip_addr addr;
    size_t holds;
    struct name *names;
};

struct names {
    struct node *buckets[BUCKETS];
    size_t count; // of names
};

struct names *names_new(void)
{
    return mem_alloc(sizeof(struct names));
}

static void drop_names(struct names *t, struct node *node)
{
    while (node->names) {
        struct name *n = node->names;
        node->names = n->next;
        free(n);
        t->count--;
    }
}

void names_free(struct names *t)
{
    for (size_t i = 0; t && i < BUCKETS; i++) {
        while (t->buckets[i]) {
            struct node *node = t->buckets[i];
            t->buckets[i] = node->next;
            drop_names(t, node);
            free(node);
        }
    }
    free(t);
}

static size_t bucket_of(const struct ip_addr *a)
{
    uint32_t hash = 2166136261U;
    for (size_t i = 0; i < sizeof(a->bytes); i++)
        hash = (hash ^ a->bytes[i]) * 16777619U;
    return (hash ^ hash >> 16) % BUCKETS;
}

static struct node *find(struct names *t, const struct ip_addr *a)
{
    struct node *node = t->buckets[bucket_of(a)];
    while (node && !ip_equal(&node->addr, a))
        node = node->next;
    return node;
}

static struct node *find_or_add(struct names *t, const struct ip_addr *a)
{
    struct node *node = find(t, a);
    if (!node) {
        struct node **bucket = &t->buckets[bucket_of(a)];
        node = mem_alloc(sizeof(*node));
        node->addr = *a;
        node->next = *bucket;
        *bucket = node;
    }
    return node;
}

// Takes away the names that ended at or before a time, and nodes that nothing needs.
static void sweep(struct names *t, uint64_t until_us)
{
    for (size_t i = 0; i < BUCKETS; i++) {
        for (struct node **at = &t->buckets[i]; *at;) {
            struct node *node = *at;
            for (struct name **n = &node->names; node->holds == 0 && *n;) {
                struct name *old = *n;
                if (old->end_us > until_us) {
                    n = &old->next;
                    continue;
                }
                *n = old->next;
                free(old);
                t->count--;
            }
            if (node->names || node->holds) {
                at = &node->next;
                continue;
            }
            *at = node->next;
            free(node);
        }
    }
}

// Makes room: first what is over, then what will be over soonest, then (all of it held by flows)
// everything, since a table without bound would be worse.
static void make_room(struct names *t, uint64_t now_us)
{
    uint64_t step = NAMES_GRACE_US / 4;
    if (t->count < NAMES_MAX)
        return;
    sweep(t, now_us);
    for (uint64_t ahead = step; t->count >= NAMES_MAX / 2 && ahead <= 2 * NAMES_GRACE_US;
         ahead += step)
        sweep(t, now_us + ahead);
    if (t->count >= NAMES_MAX / 2)
        sweep(t, UINT64_MAX);
    for (size_t i = 0; i < BUCKETS && t->count >= NAMES_MAX; i++)
        for (struct node *node = t->buckets[i]; node; node = node->next)
            drop_names(t, node);
}

void names_add(struct names *t, const struct ip_addr *a, const char *name, bool asked, uint32_t ttl,
               uint64_t now_us)
{
    uint64_t seconds = ttl < NAMES_TTL_MAX ? ttl : NAMES_TTL_MAX;
    uint64_t end = now_us + seconds * 1000000 + NAMES_GRACE_US;
    make_room(t, now_us);
    struct node *node = find_or_add(t, a);
    struct name **at = &node->names;
    while (*at && strcmp((*at)->text, name) != 0)
        at = &(*at)->next;
    struct name *n = *at;
    if (n) {
        *at = n->next;
    } else {
        size_t size = strlen(name) + 1;
        n = mem_alloc(sizeof(*n) + size);
        memcpy(n->text, name, size);
        t->count++;
    }
    n->asked = n->asked || asked;
    n->end_us = n->end_us > end ? n->end_us : end;
    n->next = node->names;
    node->names = n;
}

void names_hold(struct names *t, const struct ip_addr *a)
{
    find_or_add(t, a)->holds++;
}

void names_release(struct names *t, const struct ip_addr *a, uint64_t now_us)
{
    struct node *node = find(t, a);
    if (!node || node->holds == 0)
        return;
    node->holds--;
    for (struct name *n = node->names; n && node->holds == 0; n = n->next)
        if (n->end_us < now_us + NAMES_GRACE_US)
            n->end_us = now_us + NAMES_GRACE_US;
    if (node->holds > 0 || node->names)
        return;
    struct node **at = &t->buckets[bucket_of(a)];
    while (*at != node)
        at = &(*at)->next;
    *at = node->next;
    free(node);
}

bool names_each(struct names *t, const struct ip_addr *a, uint64_t now_us, names_fn *fn, void *ctx)
{
    const struct node *node = find(t, a);
    for (const struct name *n = node ? node->names : NULL; n; n = n->next)
        if ((node->holds > 0 || n->end_us > now_us) && fn(ctx, n->text, n->asked))
            return true;
    return false;
}

static bool take_asked(void *ctx, const char *name, bool asked)
{
    if (asked)
        *(const char **)ctx = name;
    return asked;
}

const char *names_asked(struct names *t, const struct ip_addr *a, uint64_t now_us)
{
    const char *name = NULL;
    (void)names_each(t, a, now_us, take_asked, &name);
    return name;
}

size_t names_count(const struct names *t)
{
    return t->count;
}
