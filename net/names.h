// SPDX-License-Identifier: Apache-2.0
// Which names an address was given to the job for: learned from the answers of the job's own DNS,
// asked when it connects. Names are never looked up in reverse. Pure; the clock is the caller's.
#ifndef BRYO_NET_NAMES_H
#define BRYO_NET_NAMES_H

#include "internal/base/ipaddr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Programs keep an address longer than its TTL says: a name counts for so long beyond it.
#define NAMES_GRACE_US (300 * UINT64_C(1000000))
#define NAMES_TTL_MAX  86400 // seconds; a longer one is cut
#define NAMES_MAX      16384 // entries; beyond that those nearest to their end go

struct names;

struct names *names_new(void);
void names_free(struct names *t); // NULL is fine

// The address was an answer for the name. asked: it is the name of the question, not one that a
// CNAME led to. ttl in seconds. Known already: the later end counts.
void names_add(struct names *t, const struct ip_addr *a, const char *name, bool asked, uint32_t ttl,
               uint64_t now_us);

// A flow to the address begins or ends: its names stay while there is one, and NAMES_GRACE_US from
// then on.
void names_hold(struct names *t, const struct ip_addr *a);
void names_release(struct names *t, const struct ip_addr *a, uint64_t now_us);

// Calls fn for each name of the address that counts now, the one asked for last first, until it
// returns true; returns whether it did.
typedef bool names_fn(void *ctx, const char *name, bool asked);
bool names_each(struct names *t, const struct ip_addr *a, uint64_t now_us, names_fn *fn, void *ctx);

// The name that was asked for last to get the address, or NULL; valid until the next names_add().
const char *names_asked(struct names *t, const struct ip_addr *a, uint64_t now_us);

size_t names_count(const struct names *t);

#endif
