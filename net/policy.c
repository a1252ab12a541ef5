// SPDX-License-Identifier: Apache-2.0
#include "net/policy.h"

#include "internal/base/buf.h"
#include "net/closed.h"
#include "net/dns_name.h"
#include "net/names.h"

#include <stdio.h>
#include <string.h>

static const char own_resolver[] =
    "rules are about names, which are asked of the job's own resolver";

static const char *not_listed(const struct net_opts *o)
{
    return o->lock_enforced ? "the file of --net-lock does not have it" : "no --allow names it";
}

enum { PORT_DNS = 53, PORT_DNS_TLS = 853 };

// What a rule is held against.
struct asked {
    const struct net_rule *rule;
    const char *matched; // the name that matched
};

static bool try_name(void *ctx, const char *name, bool asked)
{
    struct asked *a = ctx;
    (void)asked;
    if (!net_rule_matches_name(a->rule, name))
        return false;
    a->matched = name;
    return true;
}

static bool matches_net(const struct net_rule *r, const struct ip_addr *dst)
{
    struct ip_addr inner;
    if (ip_in_net(dst, &r->net))
        return true;
    // What a translator would make of it counts against a connection, never for it.
    return !r->allow && closed_embedded(dst, &inner) && ip_in_net(&inner, &r->net);
}

static bool matches(const struct policy *p, const struct net_rule *r, struct flow *f,
                    uint64_t now_us)
{
    struct asked a = {.rule = r};
    if (!net_rule_matches_port(r, f->key.proto, f->key.dport))
        return false;
    if (r->kind == NET_RULE_ALL)
        return true;
    if (r->kind == NET_RULE_NET)
        return matches_net(r, &f->key.dst);
    if (!names_each(p->names, &f->key.dst, now_us, try_name, &a))
        return false;
    (void)snprintf(f->name, sizeof(f->name), "%s", a.matched);
    return true;
}

// The rule's own words, cut where they do not fit.
static void tell_rule(const struct net_opts *o, size_t rule, char why[128])
{
    const struct net_rule *r = &o->rules.v[rule];
    bool locked = o->lock_enforced && rule >= o->lock_from;
    AUTO_BUF struct buf text = {0};
    net_rule_format(r, &text);
    (void)snprintf(why, 128, "%s %.100s",
                   locked     ? "--net-lock"
                   : r->allow ? "--allow"
                              : "--deny",
                   buf_str(&text));
}

static enum flow_verdict end(struct flow *f, enum flow_verdict verdict, const char *why)
{
    f->verdict = verdict;
    (void)snprintf(f->why, sizeof(f->why), "%s", why);
    return verdict;
}

static bool host_port_open(const struct net_opts *o, const struct flow_key *k)
{
    if (!o->allow_host || k->proto == NET_PROTO_ICMP)
        return false;
    for (size_t i = 0; i < o->n_host_ports; i++)
        if (k->dport >= o->host_ports[i].from && k->dport <= o->host_ports[i].to)
            return true;
    return o->n_host_ports == 0;
}

static struct ip_addr loopback(const struct ip_addr *like)
{
    struct ip_addr a = {.family = like->family};
    if (a.family == IP_V4)
        return ip_v4(127, 0, 0, 1);
    a.bytes[15] = 1;
    return a;
}

// The virtual network between job and machine. false: the address is none of it.
static bool decide_near(const struct policy *p, struct flow *f)
{
    const struct net_opts *o = p->opts;
    static const struct ip_net near6 = {.addr = {IP_V6, {0xfd}}, .prefix = 64};
    const struct flow_key *k = &f->key;
    bool gateway = ip_equal(&k->dst, &o->gateway4) || ip_equal(&k->dst, &o->gateway6);
    bool resolver = ip_equal(&k->dst, &o->dns4) || ip_equal(&k->dst, &o->dns6);
    if (!ip_in_net(&k->dst, &o->cidr) && !ip_in_net(&k->dst, &near6))
        return false;
    f->host = (struct ip_addr){0};
    if ((gateway || resolver) && k->proto == NET_PROTO_ICMP) {
        (void)end(f, FLOW_ALLOWED, "");
    } else if (resolver && k->dport == PORT_DNS && k->proto == NET_PROTO_UDP) {
        (void)end(f, FLOW_ALLOWED, "");
    } else if (resolver && k->dport == PORT_DNS && p->dns_port) {
        f->host = ip_v4(127, 0, 0, 1);
        f->host_port = p->dns_port;
        (void)end(f, FLOW_ALLOWED, "");
    } else if (gateway && host_port_open(o, k)) {
        f->host = loopback(&k->dst);
        (void)end(f, FLOW_ALLOWED, "--allow-host");
    } else if (gateway) {
        (void)end(f, FLOW_CLOSED,
                  o->allow_host ? "the machine itself, and --allow-host does not name the port"
                                : "the machine itself, which --allow-host would open");
    } else {
        (void)end(f, FLOW_CLOSED, "nothing is there: it belongs to the job's own network");
    }
    return true;
}

static const char *closed(const struct policy *p, const struct ip_addr *a)
{
    struct ip_addr inner;
    const char *why = closed_why(a);
    if (why || !p->is_local)
        return why;
    if (p->is_local(p->ctx, a) || (closed_embedded(a, &inner) && p->is_local(p->ctx, &inner)))
        return "one of the machine's own addresses";
    return NULL;
}

// A rule about a name holds as far as the answers are seen that lead to it.
static bool escapes_names(const struct net_opts *o, const struct flow_key *k)
{
    if (k->dport != PORT_DNS && k->dport != PORT_DNS_TLS)
        return false;
    for (size_t i = 0; i < o->rules.n; i++)
        if (o->rules.v[i].kind == NET_RULE_NAME || o->rules.v[i].kind == NET_RULE_BELOW)
            return true;
    return false;
}

enum flow_verdict policy_decide(const struct policy *p, struct flow *f, uint64_t now_us,
                                size_t *ret_rule)
{
    const struct net_opts *o = p->opts;
    const char *name = names_asked(p->names, &f->key.dst, now_us);
    size_t rule = 0;
    if (ret_rule)
        *ret_rule = POLICY_NO_RULE;
    (void)snprintf(f->name, sizeof(f->name), "%s", name ? name : "");
    f->host = f->key.dst;
    f->host_port = f->key.dport;
    if (decide_near(p, f))
        return f->verdict;
    const char *why = closed(p, &f->key.dst);
    if (why)
        return end(f, FLOW_CLOSED, why);
    while (rule < o->rules.n && !matches(p, &o->rules.v[rule], f, now_us))
        rule++;
    if (rule == o->rules.n && o->allow_given)
        return end(f, FLOW_REFUSED, not_listed(o));
    if (rule == o->rules.n)
        return escapes_names(o, &f->key) ? end(f, FLOW_REFUSED, own_resolver)
                                         : end(f, FLOW_ALLOWED, "");
    if (ret_rule)
        *ret_rule = rule;
    tell_rule(o, rule, f->why);
    f->verdict = o->rules.v[rule].allow ? FLOW_ALLOWED : FLOW_REFUSED;
    return f->verdict;
}

// Names of the reverse tree: told only what is known or allowed anyway.
static bool reverse_allowed(const struct policy *p, const struct ip_addr *a, uint64_t now_us)
{
    const struct net_rules *rules = &p->opts->rules;
    if (!p->opts->allow_given || names_asked(p->names, a, now_us))
        return true;
    for (size_t i = 0; i < rules->n; i++)
        if (rules->v[i].kind == NET_RULE_ALL ||
            (rules->v[i].kind == NET_RULE_NET && matches_net(&rules->v[i], a)))
            return rules->v[i].allow;
    return false;
}

bool policy_name(const struct policy *p, const char *name, uint64_t now_us, char why[128])
{
    const struct net_rules *rules = &p->opts->rules;
    struct ip_addr reverse;
    why[0] = '\0';
    if (dns_name_reverse(name, &reverse)) {
        bool good = reverse_allowed(p, &reverse, now_us);
        (void)snprintf(why, 128, "%s", good ? "" : not_listed(p->opts));
        return good;
    }
    for (size_t i = 0; i < rules->n; i++) {
        const struct net_rule *r = &rules->v[i];
        if (r->kind != NET_RULE_ALL && !net_rule_matches_name(r, name))
            continue;
        // To deny some ports is no reason to keep the name secret.
        bool whole = r->proto == NET_PROTO_ANY &&
                     ((r->port_from == 0 && r->port_to == 65535) || r->port_to == 0);
        if (!r->allow && !whole)
            continue;
        tell_rule(p->opts, i, why);
        return r->allow;
    }
    if (p->opts->allow_given)
        (void)snprintf(why, 128, "%s", not_listed(p->opts));
    return !p->opts->allow_given;
}

void policy_tell(const struct flow *f, struct buf *out)
{
    char addr[IP_TEXT_MAX];
    bool v6 = f->key.dst.family == IP_V6;
    ip_format(&f->key.dst, addr);
    buf_addf(out, "%s ", net_proto_word(f->key.proto));
    if (f->name[0])
        buf_adds(out, f->name);
    else
        buf_addf(out, v6 ? "[%s]" : "%s", addr);
    if (f->key.proto != NET_PROTO_ICMP)
        buf_addf(out, ":%u", f->key.dport);
    if (f->name[0])
        buf_addf(out, " (%s)", addr);
    buf_addf(out, " %s", f->verdict == FLOW_ALLOWED ? "allowed" : "refused");
    if (f->why[0])
        buf_addf(out, ": %s", f->why);
}
