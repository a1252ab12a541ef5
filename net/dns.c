// SPDX-License-Identifier: Apache-2.0
#include "net/dns.h"

#include "internal/base/buf.h"
#include "internal/base/loop.h"
#include "internal/job/resolvconf.h"
#include "net/dns_msg.h"
#include "net/names.h"
#include "net/policy.h"

#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#define LOGGED_ADDRS 16

// A question that the machine's resolvers have.
struct pending {
    struct pending *next;
    struct dns *dns;
    struct dns_asker asker;
    struct dns_question q;
    uint64_t start_us;
    bool gone; // the asker is
};

struct dns {
    struct dns_config c;
    struct dns_upstream *up;
    struct pending *pending;
};

static const struct net_opts *opts_of(const struct dns *d)
{
    return d->c.policy->opts;
}

// The file of --add-host is read by programs that never ask, so what is in it counts from the
// start, and for good.
static void learn_hosts(const struct dns *d)
{
    const struct net_opts *o = opts_of(d);
    for (size_t i = 0; i < o->n_hosts; i++) {
        names_add(d->c.policy->names, &o->hosts[i].addr, o->hosts[i].name, true, 0, loop_now_us());
        names_hold(d->c.policy->names, &o->hosts[i].addr);
    }
}

struct dns *dns_new(const struct dns_config *config)
{
    struct dns *d = mem_alloc(sizeof(*d));
    d->c = *config;
    d->up = dns_upstream_new(config->loop, config->times);
    learn_hosts(d);
    dns_set_resolv(d, "", 0);
    return d;
}

void dns_free(struct dns *d)
{
    if (!d)
        return;
    dns_upstream_free(d->up);
    while (d->pending) {
        struct pending *p = d->pending;
        d->pending = p->next;
        free(p);
    }
    free(d);
}

void dns_set_resolv(struct dns *d, const char *text, size_t n)
{
    struct dns_upstream_server servers[NET_DNS_MAX];
    const struct net_opts *o = opts_of(d);
    size_t used = 0;
    AUTO_RESOLV_CONF struct resolv_conf conf;
    resolv_conf_read(text, n, &conf);
    for (size_t i = 0; i < o->n_dns; i++)
        servers[used++] = (struct dns_upstream_server){.at = o->dns[i]};
    for (size_t i = 0; i < conf.n_servers && o->n_dns == 0; i++) {
        const struct resolv_server *s = &conf.servers[i];
        uint32_t scope = s->zone[0] ? if_nametoindex(s->zone) : 0;
        if (!s->zone[0] || scope)
            servers[used++] = (struct dns_upstream_server){s->at, scope};
    }
    if (used == 0) // resolv.conf(5)
        servers[used++] =
            (struct dns_upstream_server){.at = {.addr = ip_v4(127, 0, 0, 1), .port = 53}};
    dns_upstream_set(d->up, servers, used);
}

struct learned {
    struct dns *dns;
    struct ip_addr addrs[LOGGED_ADDRS];
    size_t n;
};

static void learn(void *ctx, const char *name, bool asked, const struct ip_addr *a, uint32_t ttl)
{
    struct learned *l = ctx;
    if (strlen(name) < NET_NAME_MAX)
        names_add(l->dns->c.policy->names, a, name, asked, ttl, loop_now_us());
    if (asked && l->n < LOGGED_ADDRS)
        l->addrs[l->n++] = *a;
}

static void log_question(const struct dns *d, const struct dns_asker *asker,
                         const struct dns_question *q, int rcode, const char *refused,
                         const struct learned *got, uint64_t start_us)
{
    const struct dns_record record = {
        .asker = *asker,
        .name = q->name,
        .type = q->type,
        .rcode = rcode,
        .refused = refused != NULL,
        .why = refused ? refused : "",
        .addrs = got ? got->addrs : NULL,
        .n_addrs = got ? got->n : 0,
        .start_us = start_us,
    };
    if (d->c.log)
        d->c.log(d->c.ctx, &record);
}

static void answer(const struct dns *d, const struct dns_asker *to, const struct dns_question *q,
                   int rcode, const struct ip_addr *addrs, size_t n)
{
    uint8_t out[DNS_UDP_EDNS];
    size_t len = dns_build_reply(q, rcode, false, addrs, n, out);
    d->c.reply(d->c.ctx, to, out, len);
}

// Sends on what a resolver answered, cut where the job takes less.
static void pass_on(const struct dns *d, const struct pending *p, const uint8_t *msg, size_t n)
{
    uint8_t out[DNS_UDP_EDNS];
    if (p->asker.tcp || n <= p->q.udp_size) {
        d->c.reply(d->c.ctx, &p->asker, msg, n);
        return;
    }
    size_t len = dns_build_reply(&p->q, dns_reply_rcode(msg), true, NULL, 0, out);
    d->c.reply(d->c.ctx, &p->asker, out, len);
}

static void on_answer(void *ctx, uint8_t *msg, size_t n)
{
    struct pending *p = ctx;
    struct dns *d = p->dns;
    struct learned got = {.dns = d};
    struct pending **at = &d->pending;
    while (*at != p)
        at = &(*at)->next;
    *at = p->next;
    // A name counts before the job hears of it: its connection may come at once.
    if (msg && !p->gone)
        (void)dns_reply_each(&p->q, msg, n, learn, &got);
    if (!p->gone && msg)
        pass_on(d, p, msg, n);
    else if (!p->gone)
        answer(d, &p->asker, &p->q, DNS_SERVFAIL, NULL, 0);
    log_question(d, &p->asker, &p->q, msg ? dns_reply_rcode(msg) : DNS_SERVFAIL, NULL, &got,
                 p->start_us);
    free(p);
}

static bool same_asker(const struct dns_asker *a, const struct dns_asker *b)
{
    return a->tcp == b->tcp && a->sport == b->sport && a->serial == b->serial &&
           ip_equal(&a->src, &b->src);
}

// A job that asks again because it waited does not make the resolvers be asked twice.
static bool is_pending(const struct dns *d, const struct dns_asker *from,
                       const struct dns_question *q)
{
    for (const struct pending *p = d->pending; p; p = p->next)
        if (!p->gone && p->q.id == q->id && same_asker(&p->asker, from) &&
            p->q.wire_len == q->wire_len && memcmp(p->q.wire, q->wire, q->wire_len) == 0)
            return true;
    return false;
}

static void forward(struct dns *d, const struct dns_asker *from, const struct dns_question *q)
{
    struct pending *p = mem_alloc(sizeof(*p));
    *p = (struct pending){.dns = d, .asker = *from, .q = *q, .start_us = loop_now_us()};
    p->next = d->pending;
    d->pending = p;
    if (dns_upstream_ask(d->up, q, from->tcp, on_answer, p) == 0)
        return;
    d->pending = p->next;
    free(p);
    answer(d, from, q, DNS_SERVFAIL, NULL, 0);
}

// What is known here: names of --add-host, and localhost, which never leaves a machine (RFC 6761).
// false: it is not.
static bool know(const struct dns *d, const struct dns_question *q, struct ip_addr *addrs,
                 size_t max, size_t *ret_n)
{
    const struct net_opts *o = opts_of(d);
    static const char suffix[] = ".localhost";
    size_t n = 0;
    size_t len = strlen(q->name);
    bool known = false;
    for (size_t i = 0; i < o->n_hosts; i++) {
        if (strcmp(o->hosts[i].name, q->name) != 0)
            continue;
        known = true;
        if (n < max)
            addrs[n++] = o->hosts[i].addr;
    }
    if (!known &&
        (strcmp(q->name, suffix + 1) == 0 ||
         (len >= sizeof(suffix) && strcmp(q->name + len - sizeof(suffix) + 1, suffix) == 0))) {
        known = true;
        addrs[n++] = ip_v4(127, 0, 0, 1);
        addrs[n++] = (struct ip_addr){.family = IP_V6, .bytes = {[15] = 1}};
    }
    *ret_n = n;
    return known;
}

void dns_ask(struct dns *d, const struct dns_asker *from, const void *msg, size_t n)
{
    struct dns_question q;
    struct ip_addr addrs[LOGGED_ADDRS];
    size_t n_addrs = 0;
    char why[128];
    uint64_t now = loop_now_us();
    int r = dns_question_read(msg, n, &q);
    if (r == -EBADMSG)
        return;
    if (r < 0 || q.class != DNS_CLASS_IN) {
        answer(d, from, &q, r == -EPROTO ? DNS_FORMERR : DNS_NOTIMP, NULL, 0);
        return;
    }
    if (know(d, &q, addrs, LOGGED_ADDRS, &n_addrs)) {
        struct learned got = {.n = n_addrs};
        memcpy(got.addrs, addrs, n_addrs * sizeof(*addrs));
        answer(d, from, &q, DNS_NOERROR, addrs, n_addrs);
        log_question(d, from, &q, DNS_NOERROR, NULL, &got, now);
    } else if (!policy_name(d->c.policy, q.name, now, why)) {
        // Not REFUSED: programs take that for a failure that passes, and try again and again.
        q.prohibited = true;
        answer(d, from, &q, DNS_NXDOMAIN, NULL, 0);
        log_question(d, from, &q, DNS_NXDOMAIN, why, NULL, now);
    } else if (q.type == DNS_TYPE_AAAA && !d->c.ipv6) {
        answer(d, from, &q, DNS_NOERROR, NULL, 0);
        log_question(d, from, &q, DNS_NOERROR, NULL, NULL, now);
    } else if (!is_pending(d, from, &q)) {
        forward(d, from, &q);
    }
}

void dns_forget(struct dns *d, const struct dns_asker *asker)
{
    for (struct pending *p = d->pending; p; p = p->next)
        if (same_asker(&p->asker, asker))
            p->gone = true;
}
