// SPDX-License-Identifier: Apache-2.0
#include "net/reass.h"

#include "internal/base/buf.h"
#include "net/frame_build.h"

#include <stdlib.h>
#include <string.h>

#define BLOCKS (65536 / 8) // fragments begin at multiples of eight bytes

struct packet {
    bool used;
    bool bad; // what is still to come of it is passed over
    struct ip_addr src;
    struct ip_addr dst;
    uint32_t id;
    uint8_t proto;
    uint64_t start_us;
    size_t have;              // bytes that are there
    size_t total;             // bytes that it has in all; 0: the last fragment has not come
    size_t end;               // of the furthest that came
    size_t l4;                // where its data begins in bytes
    uint8_t *bytes;           // FRAME_MAX; kept for the next one
    uint8_t seen[BLOCKS / 8]; // a bit each block
};

struct reass {
    struct packet packets[REASS_PACKETS];
};

struct reass *reass_new(void)
{
    return mem_alloc(sizeof(struct reass));
}

void reass_free(struct reass *r)
{
    for (size_t i = 0; r && i < REASS_PACKETS; i++)
        free(r->packets[i].bytes);
    free(r);
}

static bool is_of(const struct packet *p, const struct frame *f)
{
    return p->used && p->id == f->frag_id && p->proto == f->ip_proto &&
           ip_equal(&p->src, &f->src) && ip_equal(&p->dst, &f->dst);
}

static struct packet *find(struct reass *r, const struct frame *f, uint64_t now_us)
{
    struct packet *oldest = &r->packets[0];
    for (size_t i = 0; i < REASS_PACKETS; i++) {
        struct packet *p = &r->packets[i];
        if (p->used && now_us - p->start_us > REASS_PATIENCE_US)
            p->used = false;
        if (is_of(p, f))
            return p;
        if (oldest->used && (!p->used || p->start_us < oldest->start_us))
            oldest = p;
    }
    uint8_t *bytes = oldest->bytes ? oldest->bytes : mem_alloc(FRAME_MAX);
    *oldest = (struct packet){.used = true,
                              .src = f->src,
                              .dst = f->dst,
                              .id = f->frag_id,
                              .proto = f->ip_proto,
                              .start_us = now_us,
                              .l4 = f->l3 + (f->src.family == IP_V4 ? 20 : 40),
                              .bytes = bytes};
    memcpy(bytes, f->bytes, oldest->l4);
    return oldest;
}

// Marks the blocks; false when one of them was there already.
static bool mark(struct packet *p, size_t off, size_t n)
{
    for (size_t b = off / 8; b < (off + n + 7) / 8; b++) {
        if (p->seen[b / 8] >> (b % 8) & 1)
            return false;
        p->seen[b / 8] |= (uint8_t)(1U << (b % 8));
    }
    return true;
}

static bool take(struct packet *p, const struct frame *f)
{
    size_t n = f->len - f->l4;
    size_t off = f->frag_off;
    size_t end = off + n;
    size_t most = f->src.family == IP_V4 ? 65535 - 20 : 65535;
    bool last = !f->frag_more;
    if (end > most || !mark(p, off, n))
        return false;
    if ((last && p->total && p->total != end) || (p->total && end > p->total) ||
        (last && p->end > end))
        return false;
    memcpy(p->bytes + p->l4 + off, f->bytes + f->l4, n);
    p->have += n;
    p->total = last ? end : p->total;
    p->end = end > p->end ? end : p->end;
    return true;
}

// Length, protocol and checksum of a packet that was never cut.
static size_t finish(struct packet *p)
{
    size_t ip = FRAME_ETH_LEN;
    uint8_t *h = p->bytes + ip;
    if (p->src.family == IP_V4) {
        size_t total = 20 + p->total;
        h[2] = (uint8_t)(total >> 8);
        h[3] = (uint8_t)total;
        h[6] = h[7] = h[10] = h[11] = 0;
        uint16_t sum = frame_sum_end(frame_sum(h, 20, 0));
        memcpy(h + 10, &sum, sizeof(sum));
    } else {
        h[4] = (uint8_t)(p->total >> 8);
        h[5] = (uint8_t)p->total;
        h[6] = p->proto;
    }
    p->used = false;
    return p->l4 + p->total;
}

size_t reass_add(struct reass *r, const struct frame *f, uint64_t now_us, uint8_t **ret)
{
    struct packet *p = find(r, f, now_us);
    if (p->bad || !take(p, f)) {
        p->bad = true;
        return 0;
    }
    if (!p->total || p->have != p->total)
        return 0;
    *ret = p->bytes;
    return finish(p);
}
