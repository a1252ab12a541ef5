// SPDX-License-Identifier: Apache-2.0
#include "net/dns_msg.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { QR = 0x8000, OPCODE = 0x7800, AA = 0x0400, TC = 0x0200, RD = 0x0100, RA = 0x0080 };
enum { AD = 0x0020, CD = 0x0010 };
enum { EDNS_EDE = 15, EDE_PROHIBITED = 18 };
enum { EDNS_DO = 0x8000 }; // in the lower half of the OPT record's TTL

static uint16_t get16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t get32(const uint8_t *p)
{
    return (uint32_t)get16(p) << 16 | get16(p + 2);
}

static uint8_t *put16(uint8_t *p, unsigned v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
    return p + 2;
}

static uint8_t *put32(uint8_t *p, uint32_t v)
{
    return put16(put16(p, v >> 16), v & 0xffff);
}

// A record behind its name.
struct record {
    uint16_t type;
    uint16_t class;
    uint32_t ttl;
    size_t data; // offset
    uint16_t len;
};

static int read_record(const uint8_t *msg, size_t n, size_t *at, struct record *r)
{
    if (n - *at < 10)
        return -EBADMSG;
    const uint8_t *p = msg + *at;
    *r = (struct record){get16(p), get16(p + 2), get32(p + 4), *at + 10, get16(p + 8)};
    if (n - r->data < r->len)
        return -EBADMSG;
    *at = r->data + r->len;
    return 0;
}

// The OPT record, which may be the only thing behind the question.
static int read_edns(const uint8_t *msg, size_t n, size_t at, struct dns_question *q)
{
    struct record r;
    // Its name is the root.
    if (at >= n || msg[at] != 0)
        return -EPROTO;
    at++;
    if (read_record(msg, n, &at, &r) < 0 || r.type != DNS_TYPE_OPT)
        return -EPROTO;
    q->edns = true;
    q->dnssec_ok = r.ttl & EDNS_DO;
    q->udp_size = r.class < DNS_UDP_PLAIN  ? DNS_UDP_PLAIN
                  : r.class > DNS_UDP_EDNS ? DNS_UDP_EDNS
                                           : r.class;
    return 0;
}

// The name of a question is written out: what is before it that a pointer could lead to is the
// header, which is another one in the message that is sent on.
static bool has_pointer(const uint8_t *msg, size_t from, size_t to)
{
    size_t at = from;
    while (at < to && msg[at] && !(msg[at] & 0xc0))
        at += msg[at] + 1U;
    return at + 1 != to;
}

int dns_question_read(const uint8_t *msg, size_t n, struct dns_question *q)
{
    *q = (struct dns_question){.udp_size = DNS_UDP_PLAIN};
    if (n < DNS_HEADER_LEN || get16(msg + 2) & QR)
        return -EBADMSG;
    uint16_t flags = get16(msg + 2);
    q->id = get16(msg);
    q->recursion = flags & RD;
    q->checking = flags & CD;
    q->authentic = flags & AD;
    if (flags & OPCODE)
        return -EOPNOTSUPP;
    // One question, no answers, no authorities, at most one OPT.
    if (get16(msg + 4) != 1 || get16(msg + 6) || get16(msg + 8) || get16(msg + 10) > 1)
        return -EPROTO;
    size_t at = DNS_HEADER_LEN;
    if (dns_name_read(msg, n, &at, q->name) < 0 || n - at < 4)
        return -EPROTO;
    q->type = get16(msg + at);
    q->class = get16(msg + at + 2);
    at += 4;
    if (has_pointer(msg, DNS_HEADER_LEN, at - 4) || at - DNS_HEADER_LEN > sizeof(q->wire))
        return -EPROTO;
    int r = get16(msg + 10) ? read_edns(msg, n, at, q) : 0;
    if (r < 0)
        return r;
    q->wire_len = at - DNS_HEADER_LEN;
    memcpy(q->wire, msg + DNS_HEADER_LEN, q->wire_len);
    return 0;
}

static uint8_t *put_edns(uint8_t *p, const struct dns_question *q, unsigned size)
{
    *p++ = 0;
    p = put16(p, DNS_TYPE_OPT);
    p = put16(p, size);
    p = put32(p, q->dnssec_ok ? EDNS_DO : 0);
    if (!q->prohibited)
        return put16(p, 0);
    p = put16(p, 6);
    p = put16(p, EDNS_EDE);
    p = put16(p, 2);
    return put16(p, EDE_PROHIBITED);
}

static uint8_t *put_header(uint8_t *p, unsigned id, unsigned flags, unsigned questions,
                           unsigned answers, unsigned additional)
{
    p = put16(p, id);
    p = put16(p, flags);
    p = put16(p, questions);
    p = put16(p, answers);
    p = put16(p, 0);
    return put16(p, additional);
}

size_t dns_build_query(const struct dns_question *q, uint16_t id, uint8_t out[static DNS_QUERY_MAX])
{
    unsigned flags = (q->recursion ? RD : 0U) | (q->checking ? CD : 0U) | (q->authentic ? AD : 0U);
    uint8_t *p = put_header(out, id, flags, 1, 0, q->edns);
    memcpy(p, q->wire, q->wire_len);
    p += q->wire_len;
    if (q->edns)
        p = put_edns(p, q, q->udp_size);
    return (size_t)(p - out);
}

size_t dns_build_reply(const struct dns_question *q, int rcode, bool truncated,
                       const struct ip_addr *addrs, size_t n, uint8_t out[static DNS_UDP_EDNS])
{
    unsigned answers = 0;
    unsigned flags = QR | RA | (q->recursion ? RD : 0U) | (q->checking ? CD : 0U) |
                     (truncated ? TC : 0U) | (unsigned)rcode;
    uint8_t *p = out + DNS_HEADER_LEN;
    memcpy(p, q->wire, q->wire_len);
    p += q->wire_len;
    for (size_t i = 0; i < n && answers < 32 && q->wire_len; i++) {
        bool v4 = addrs[i].family == IP_V4;
        if (q->type != (v4 ? DNS_TYPE_A : DNS_TYPE_AAAA))
            continue;
        p = put16(p, 0xc000 | DNS_HEADER_LEN); // the name of the question
        p = put16(p, q->type);
        p = put16(p, DNS_CLASS_IN);
        p = put32(p, DNS_TTL_OWN);
        p = put16(p, v4 ? 4 : 16);
        memcpy(p, addrs[i].bytes, v4 ? 4 : 16);
        p += v4 ? 4 : 16;
        answers++;
    }
    if (q->edns)
        p = put_edns(p, q, DNS_UDP_EDNS);
    (void)put_header(out, q->id, flags, q->wire_len ? 1 : 0, answers, q->edns);
    return (size_t)(p - out);
}

bool dns_reply_fits(const struct dns_question *q, uint16_t id, const uint8_t *msg, size_t n)
{
    return n >= DNS_HEADER_LEN + q->wire_len && get16(msg) == id && (get16(msg + 2) & QR) &&
           !(get16(msg + 2) & OPCODE) && get16(msg + 4) == 1 &&
           memcmp(msg + DNS_HEADER_LEN, q->wire, q->wire_len) == 0;
}

int dns_reply_rcode(const uint8_t *msg)
{
    return msg[3] & 0x0f;
}

bool dns_reply_truncated(const uint8_t *msg)
{
    return get16(msg + 2) & TC;
}

void dns_reply_set_id(uint8_t *msg, uint16_t id)
{
    (void)put16(msg, id);
}

// The names that a question leads to; CNAMEs may come in any order, so the answers are walked until
// none is added.
#define CHAIN_MAX 17

struct chain {
    char names[CHAIN_MAX][DNS_NAME_TEXT_MAX];
    size_t n;
    uint32_t ttl;
};

static bool has(const struct chain *c, const char *name)
{
    for (size_t i = 0; i < c->n; i++)
        if (strcmp(c->names[i], name) == 0)
            return true;
    return false;
}

struct walk {
    const uint8_t *msg;
    size_t n;
    uint16_t class;
    struct chain *chain;
    dns_address_fn *fn; // NULL: the CNAMEs are looked at
    void *ctx;
    bool grown;
};

static int take_cname(struct walk *w, const struct record *r)
{
    char target[DNS_NAME_TEXT_MAX];
    size_t at = r->data;
    if (dns_name_read(w->msg, w->n, &at, target) < 0 || at != r->data + r->len)
        return -EBADMSG;
    if (w->chain->n == CHAIN_MAX || has(w->chain, target))
        return 0;
    (void)snprintf(w->chain->names[w->chain->n++], DNS_NAME_TEXT_MAX, "%s", target);
    if (r->ttl < w->chain->ttl)
        w->chain->ttl = r->ttl;
    w->grown = true;
    return 0;
}

static int take_address(const struct walk *w, const struct record *r)
{
    bool v4 = r->type == DNS_TYPE_A;
    if (r->len != (v4 ? 4 : 16))
        return -EBADMSG;
    struct ip_addr a = v4 ? ip_from_v4(w->msg + r->data) : ip_from_v6(w->msg + r->data);
    uint32_t ttl = r->ttl < w->chain->ttl ? r->ttl : w->chain->ttl;
    for (size_t i = w->chain->n; i-- > 0;)
        w->fn(w->ctx, w->chain->names[i], i == 0, &a, ttl);
    return 0;
}

static int walk_answers(struct walk *w, size_t at)
{
    char owner[DNS_NAME_TEXT_MAX];
    for (unsigned left = get16(w->msg + 6); left > 0; left--) {
        struct record r;
        if (dns_name_read(w->msg, w->n, &at, owner) < 0 || read_record(w->msg, w->n, &at, &r) < 0)
            return -EBADMSG;
        if (r.class != w->class || !has(w->chain, owner))
            continue;
        int e = 0;
        if (!w->fn && r.type == DNS_TYPE_CNAME)
            e = take_cname(w, &r);
        else if (w->fn && (r.type == DNS_TYPE_A || r.type == DNS_TYPE_AAAA))
            e = take_address(w, &r);
        if (e < 0)
            return e;
    }
    return 0;
}

int dns_reply_each(const struct dns_question *q, const uint8_t *msg, size_t n, dns_address_fn *fn,
                   void *ctx)
{
    struct chain chain = {.n = 1, .ttl = UINT32_MAX};
    struct walk w = {.msg = msg, .n = n, .class = q->class, .chain = &chain, .ctx = ctx};
    size_t start = DNS_HEADER_LEN + q->wire_len;
    (void)snprintf(chain.names[0], DNS_NAME_TEXT_MAX, "%s", q->name);
    int r = 0;
    do {
        w.grown = false;
        r = walk_answers(&w, start);
    } while (r == 0 && w.grown);
    if (r < 0)
        return r;
    w.fn = fn;
    return walk_answers(&w, start);
}

const char *dns_type_word(uint16_t type, char out[static 16])
{
    static const struct {
        uint16_t type;
        const char *word;
    } words[] = {{1, "A"},     {2, "NS"},     {5, "CNAME"}, {6, "SOA"},
                 {12, "PTR"},  {15, "MX"},    {16, "TXT"},  {28, "AAAA"},
                 {33, "SRV"},  {35, "NAPTR"}, {43, "DS"},   {48, "DNSKEY"},
                 {64, "SVCB"}, {65, "HTTPS"}, {255, "ANY"}, {257, "CAA"}};
    (void)snprintf(out, 16, "TYPE%u", type);
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (words[i].type == type)
            (void)snprintf(out, 16, "%s", words[i].word);
    return out;
}
