// SPDX-License-Identifier: Apache-2.0
// The datagram is the struct itself, then what its pointers lead to, in a fixed order: writer and
// reader are of one build, and installed together.
#include "net/netconfig.h"

#include "internal/base/buf.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PACK_MAGIC UINT32_C(0x6e617262)

void netconfig_done(struct netconfig *c)
{
    net_opts_done(&c->opts);
    free(c->ports);
    free(c->resolv);
    *c = (struct netconfig){0};
}

static void put_array(struct buf *out, const void *items, size_t n, size_t size)
{
    buf_add(out, &n, sizeof(n));
    if (n)
        buf_add(out, items, n * size);
}

static void put_str(struct buf *out, const char *s)
{
    size_t n = s ? strlen(s) + 1 : 0;
    put_array(out, s, n, 1);
}

void netconfig_pack(const struct netconfig *c, struct buf *out)
{
    const struct net_opts *o = &c->opts;
    const uint32_t head[2] = {PACK_MAGIC, sizeof(*c)};
    buf_add(out, head, sizeof(head));
    buf_add(out, c, sizeof(*c));
    put_array(out, o->publish, o->n_publish, sizeof(*o->publish));
    put_array(out, o->host_ports, o->n_host_ports, sizeof(*o->host_ports));
    put_array(out, c->ports, c->n_ports, sizeof(*c->ports));
    put_array(out, o->hosts, o->n_hosts, sizeof(*o->hosts));
    for (size_t i = 0; i < o->n_hosts; i++)
        put_str(out, o->hosts[i].name);
    put_array(out, o->rules.v, o->rules.n, sizeof(*o->rules.v));
    for (size_t i = 0; i < o->rules.n; i++)
        put_str(out, o->rules.v[i].name);
    put_array(out, &o->dns_search.n, 1, sizeof(o->dns_search.n));
    for (size_t i = 0; i < o->dns_search.n; i++)
        put_str(out, o->dns_search.v[i]);
    put_str(out, c->resolv);
}

struct reader {
    const char *at;
    size_t left;
};

static int take(struct reader *r, void *out, size_t n)
{
    if (n > r->left)
        return -EPROTO;
    memcpy(out, r->at, n);
    r->at += n;
    r->left -= n;
    return 0;
}

// *ret is owned by the caller; *ret_n is set last, so that a half-read array counts as none.
static int take_array(struct reader *r, void **ret, size_t *ret_n, size_t size)
{
    size_t n = 0;
    if (take(r, &n, sizeof(n)) < 0 || n > r->left / size)
        return -EPROTO;
    *ret = n ? mem_alloc(n * size) : NULL;
    *ret_n = n;
    return n ? take(r, *ret, n * size) : 0;
}

static int take_str(struct reader *r, char **ret)
{
    void *s = NULL;
    size_t n = 0;
    int e = take_array(r, &s, &n, 1);
    *ret = s;
    return e == 0 && n && (*ret)[n - 1] != '\0' ? -EPROTO : e;
}

static int take_hosts(struct reader *r, struct net_opts *o)
{
    void *p = NULL;
    int e = take_array(r, &p, &o->n_hosts, sizeof(*o->hosts));
    o->hosts = p;
    for (size_t i = 0; i < o->n_hosts; i++)
        o->hosts[i].name = NULL;
    for (size_t i = 0; e == 0 && i < o->n_hosts; i++)
        e = take_str(r, &o->hosts[i].name);
    return e;
}

static int take_rules(struct reader *r, struct net_rules *rules)
{
    void *p = NULL;
    int e = take_array(r, &p, &rules->n, sizeof(*rules->v));
    rules->v = p;
    for (size_t i = 0; i < rules->n; i++)
        rules->v[i].name = NULL;
    for (size_t i = 0; e == 0 && i < rules->n; i++)
        e = take_str(r, &rules->v[i].name);
    return e;
}

static int take_search(struct reader *r, struct strv *search)
{
    void *p = NULL;
    size_t one = 0;
    size_t n = 0;
    int e = take_array(r, &p, &one, sizeof(n));
    if (e == 0 && one == 1)
        memcpy(&n, p, sizeof(n));
    free(p);
    for (size_t i = 0; e == 0 && i < n; i++) {
        char *s = NULL;
        e = take_str(r, &s);
        strv_take(search, s ? s : str_dup(""));
    }
    return e;
}

static void forget_pointers(struct netconfig *c)
{
    struct net_opts *o = &c->opts;
    o->publish = NULL;
    o->host_ports = NULL;
    o->hosts = NULL;
    o->rules.v = NULL;
    o->dns_search.v = NULL;
    o->log_file = o->lock_file = o->pcap_file = NULL;
    o->n_publish = o->n_host_ports = o->n_hosts = o->rules.n = o->dns_search.n = 0;
    c->ports = NULL;
    c->n_ports = 0;
    c->resolv = NULL;
}

static int take_all(struct reader *r, struct netconfig *c)
{
    struct net_opts *o = &c->opts;
    void *p = NULL;
    int e = take_array(r, &p, &o->n_publish, sizeof(*o->publish));
    o->publish = p;
    if (e == 0) {
        e = take_array(r, &p, &o->n_host_ports, sizeof(*o->host_ports));
        o->host_ports = p;
    }
    if (e == 0) {
        e = take_array(r, &p, &c->n_ports, sizeof(*c->ports));
        c->ports = p;
    }
    if (e == 0)
        e = take_hosts(r, o);
    if (e == 0)
        e = take_rules(r, &o->rules);
    if (e == 0)
        e = take_search(r, &o->dns_search);
    if (e == 0)
        e = take_str(r, &c->resolv);
    return e < 0 ? e : r->left ? -EPROTO : 0;
}

int netconfig_unpack(const void *bytes, size_t n, struct netconfig *ret)
{
    struct reader r = {bytes, n};
    uint32_t head[2] = {0};
    struct netconfig c;
    if (take(&r, head, sizeof(head)) < 0 || head[0] != PACK_MAGIC || head[1] != sizeof(c) ||
        take(&r, &c, sizeof(c)) < 0)
        return -EPROTO;
    forget_pointers(&c);
    int e = take_all(&r, &c);
    if (e < 0)
        netconfig_done(&c);
    else
        *ret = c;
    return e;
}
