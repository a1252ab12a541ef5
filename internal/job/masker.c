// SPDX-License-Identifier: Apache-2.0
#include "internal/job/masker.h"

#include "internal/base/buf.h"

#include <stdlib.h>
#include <string.h>

// A beginning of a string that may show: a prompt ends with a few bytes that happen to be one.
#define SHOWN_MAX 8

struct mask_node {
    uint32_t child; // the first; 0: none
    uint32_t next;  // sibling
    uint32_t fail;  // the node of the longest proper end of this one's string
    uint32_t depth;
    uint32_t match;   // length of the longest string that ends here; 0: none
    uint32_t min_len; // of the strings that go through here, the shortest
    unsigned char byte;
};

static uint32_t new_node(struct masker *m, unsigned char byte, uint32_t depth)
{
    if (m->n == m->cap) {
        size_t cap = m->cap ? m->cap * 2 : 256;
        struct mask_node *nodes = mem_grow(NULL, cap, sizeof(*nodes));
        if (m->n) {
            memcpy(nodes, m->nodes, m->n * sizeof(*nodes));
            explicit_bzero(m->nodes, m->n * sizeof(*nodes)); // realloc(3) would leave a copy
        }
        free(m->nodes);
        m->nodes = nodes;
        m->cap = cap;
    }
    m->nodes[m->n] = (struct mask_node){.byte = byte, .depth = depth, .min_len = UINT32_MAX};
    return (uint32_t)m->n++;
}

static uint32_t child_of(const struct masker *m, uint32_t at, unsigned char byte)
{
    if (at == 0)
        return m->first[byte];
    uint32_t c = m->nodes[at].child;
    while (c && m->nodes[c].byte != byte)
        c = m->nodes[c].next;
    return c;
}

void masker_add(struct masker *m, const void *bytes, size_t n)
{
    const unsigned char *s = bytes;
    if (n == 0)
        return;
    if (m->n == 0)
        (void)new_node(m, 0, 0);
    uint32_t at = 0;
    for (size_t i = 0; i < n; i++) {
        uint32_t c = child_of(m, at, s[i]);
        if (!c) {
            c = new_node(m, s[i], (uint32_t)i + 1);
            m->nodes[c].next = m->nodes[at].child;
            m->nodes[at].child = c;
            if (at == 0)
                m->first[s[i]] = c;
        }
        if (m->nodes[c].min_len > n)
            m->nodes[c].min_len = (uint32_t)n;
        at = c;
    }
    m->nodes[at].match = (uint32_t)n;
}

static uint32_t step(const struct masker *m, uint32_t at, unsigned char byte)
{
    for (;;) {
        uint32_t c = child_of(m, at, byte);
        if (c || at == 0)
            return c;
        at = m->nodes[at].fail;
    }
}

void masker_build(struct masker *m)
{
    if (m->n == 0)
        return;
    uint32_t *queue = mem_grow(NULL, m->n, sizeof(*queue));
    size_t head = 0;
    size_t tail = 0;
    queue[tail++] = 0;
    while (head < tail) { // breadth first: what fail leads to is shorter, and done
        uint32_t at = queue[head++];
        for (uint32_t c = m->nodes[at].child; c; c = m->nodes[c].next) {
            m->nodes[c].fail = at ? step(m, m->nodes[at].fail, m->nodes[c].byte) : 0;
            if (!m->nodes[c].match)
                m->nodes[c].match = m->nodes[m->nodes[c].fail].match;
            queue[tail++] = c;
        }
    }
    free(queue);
}

void masker_done(struct masker *m)
{
    if (m->nodes)
        explicit_bzero(m->nodes, m->n * sizeof(*m->nodes));
    free(m->nodes);
    *m = (struct masker){0};
}

// --- a stream ------------------------------------------------------------------------------------

static void hold(struct mask_stream *s, unsigned char byte)
{
    if (s->head > 0 && s->head >= s->len - s->head) { // as much free in front as is in use
        memmove(s->held, s->held + s->head, s->len - s->head);
        memmove(s->hit, s->hit + s->head, (s->len - s->head) * sizeof(*s->hit));
        s->len -= s->head;
        s->head = 0;
    }
    if (s->len == s->cap) {
        s->cap = s->cap ? s->cap * 2 : 128;
        s->held = mem_grow(s->held, s->cap, 1);
        s->hit = mem_grow(s->hit, s->cap, sizeof(*s->hit));
    }
    s->held[s->len] = byte;
    s->hit[s->len++] = false;
}

static void mark(struct mask_stream *s, size_t n)
{
    // A pause may have let out a part of it already.
    if (n > s->len - s->head)
        n = s->len - s->head;
    for (size_t i = 0; i < n; i++)
        s->hit[s->len - 1 - i] = true;
}

static void let_out_one(struct mask_stream *s, struct buf *out)
{
    bool hit = s->hit[s->head];
    if (!hit)
        buf_addc(out, (char)s->held[s->head]);
    else if (!s->in_mask)
        buf_adds(out, "***");
    s->in_mask = hit;
    s->head++;
}

// All but the last bytes, and of those what is known to be masked.
static void let_out(struct mask_stream *s, size_t keep, struct buf *out)
{
    while (s->head < s->len && (s->len - s->head > keep || s->hit[s->head]))
        let_out_one(s, out);
    if (s->head == s->len)
        s->head = s->len = 0;
}

void mask_feed(struct mask_stream *s, const void *bytes, size_t n, struct buf *out)
{
    const unsigned char *p = bytes;
    const unsigned char *end = p + n;
    while (p < end) {
        if (s->state == 0 && s->head == s->len) { // nothing is held: on to where a string may begin
            const unsigned char *from = p;
            while (p < end && !s->m->first[*p])
                p++;
            if (p > from) {
                buf_add(out, from, (size_t)(p - from));
                s->in_mask = false;
            }
            if (p == end)
                break;
        }
        hold(s, *p);
        s->state = step(s->m, s->state, *p++);
        const struct mask_node *at = &s->m->nodes[s->state];
        if (at->match)
            mark(s, at->match);
        let_out(s, at->depth, out);
    }
}

bool mask_holds(const struct mask_stream *s)
{
    return s->head < s->len;
}

// How many bytes at the end are too much of a string to be shown.
static size_t too_much(const struct mask_stream *s)
{
    if (!s->m || s->m->n == 0)
        return 0;
    for (uint32_t at = s->state; at; at = s->m->nodes[at].fail) {
        const struct mask_node *node = &s->m->nodes[at];
        if (node->depth > SHOWN_MAX || node->depth > node->min_len / 2)
            return node->depth;
    }
    return 0;
}

void mask_pause(struct mask_stream *s, struct buf *out)
{
    let_out(s, too_much(s), out);
}

void mask_end(struct mask_stream *s, struct buf *out)
{
    mark(s, too_much(s));
    let_out(s, 0, out);
    s->state = 0;
}

void mask_stream_done(struct mask_stream *s)
{
    if (s->held)
        explicit_bzero(s->held, s->cap);
    free(s->held);
    free(s->hit);
    *s = (struct mask_stream){.m = s->m};
}
