// SPDX-License-Identifier: Apache-2.0
#include "internal/job/netrule.h"

#include "internal/base/buf.h"
#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/base/parse.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LABEL_MAX 63

// Pieces of a rule's text, borrowed.
struct piece {
    const char *s;
    size_t n;
};

static bool is_name_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

int net_name_parse(const char *s, size_t n, char out[static NET_NAME_MAX])
{
    size_t label = 0;
    if (n > 0 && s[n - 1] == '.')
        n--;
    if (n == 0 || n >= NET_NAME_MAX)
        return -EINVAL;
    for (size_t i = 0; i < n; i++) {
        char c = s[i] >= 'A' && s[i] <= 'Z' ? (char)(s[i] | 0x20) : s[i];
        if (c == '.' ? label == 0 : !is_name_byte(c))
            return -EINVAL;
        label = c == '.' ? 0 : label + 1;
        if (label > LABEL_MAX)
            return -EINVAL;
        out[i] = c;
    }
    out[n] = '\0';
    return label > 0 ? 0 : -EINVAL;
}

static bool piece_is(struct piece p, const char *word)
{
    return p.n == strlen(word) && memcmp(p.s, word, p.n) == 0;
}

static int wrong(struct piece rule, const char *what, struct err *err)
{
    (void)err_set(err, EINVAL, "\"%.*s\": %s", rule.n < 100 ? (int)rule.n : 100, rule.s, what);
    return err_hint(err, "a rule is HOST[:PORTS][/PROTO], such as example.org:443, "
                         "*.example.org:80-443/tcp, 10.0.0.0/8:* or [IPV6]/32:443");
}

// Takes "/tcp", "/udp" or "/icmp" off the end. A "/" before digits is a prefix and stays.
static int take_proto(struct piece *p, struct piece rule, struct net_rule *r, struct err *err)
{
    const char *slash = memrchr(p->s, '/', p->n);
    if (!slash || slash + 1 == p->s + p->n)
        return slash ? wrong(rule, "nothing behind the \"/\"", err) : 0;
    struct piece word = {slash + 1, (size_t)(p->s + p->n - slash - 1)};
    if ((word.s[0] >= '0' && word.s[0] <= '9') || memchr(word.s, ':', word.n) ||
        memchr(word.s, ']', word.n))
        return 0;
    for (int i = NET_PROTO_TCP; i <= NET_PROTO_ICMP; i++)
        if (piece_is(word, net_proto_word((enum net_proto)i)))
            r->proto = (enum net_proto)i;
    if (r->proto == NET_PROTO_ANY)
        return wrong(rule, "the protocol is tcp, udp or icmp", err);
    p->n = (size_t)(slash - p->s);
    return 0;
}

static int read_ports(struct piece p, struct piece rule, struct net_rule *r, struct err *err)
{
    uint64_t from = 0;
    uint64_t to = 0;
    if (piece_is(p, "*"))
        return 0;
    if (piece_is(p, "dns")) {
        r->port_from = r->port_to = 0;
        return 0;
    }
    const char *dash = memchr(p.s, '-', p.n);
    size_t first = dash ? (size_t)(dash - p.s) : p.n;
    if (parse_u64n(p.s, first, 1, 65535, &from) < 0 ||
        (dash && parse_u64n(dash + 1, p.n - first - 1, 1, 65535, &to) < 0))
        return wrong(rule,
                     "ports are \"*\", a number from 1 to 65535, a range of them such as "
                     "8000-8080, or \"dns\"",
                     err);
    r->port_from = (uint16_t)from;
    r->port_to = dash ? (uint16_t)to : r->port_from;
    return r->port_to < r->port_from ? wrong(rule, "the range of ports ends before it begins", err)
                                     : 0;
}

// "[" IPV6 ["/" PREFIX] "]" ["/" PREFIX]; what follows is left in *rest.
static int read_bracketed(struct piece p, struct piece rule, struct net_rule *r, struct piece *rest,
                          struct err *err)
{
    const char *end = memchr(p.s, ']', p.n);
    if (!end)
        return wrong(rule, "no \"]\" ends the IPv6 address", err);
    AUTO_BUF struct buf text = {0};
    buf_add(&text, p.s + 1, (size_t)(end - p.s - 1));
    struct piece tail = {end + 1, (size_t)(p.s + p.n - end - 1)};
    if (tail.n && tail.s[0] == '/') {
        size_t digits = 1;
        while (digits < tail.n && tail.s[digits] != ':')
            digits++;
        buf_add(&text, tail.s, digits);
        tail = (struct piece){tail.s + digits, tail.n - digits};
    }
    if (ip_net_parse(buf_str(&text), text.len, &r->net, NULL) < 0 || r->net.addr.family != IP_V6)
        return wrong(rule, "what stands in brackets is no IPv6 address or network", err);
    if (tail.n && tail.s[0] != ':')
        return wrong(rule, "expected \":PORTS\" behind the \"]\"", err);
    *rest = tail;
    r->kind = NET_RULE_NET;
    return 0;
}

static int read_host(struct piece host, struct piece rule, struct net_rule *r, struct err *err)
{
    char name[NET_NAME_MAX];
    if (host.n == 0)
        return wrong(rule, "no host is named (\"*\" is any)", err);
    if (piece_is(host, "*")) {
        r->kind = NET_RULE_ALL;
        return 0;
    }
    if (ip_net_parse(host.s, host.n, &r->net, NULL) == 0) {
        r->kind = NET_RULE_NET;
        return 0;
    }
    bool below = host.n > 2 && host.s[0] == '*' && host.s[1] == '.';
    size_t skipped = below ? 2 : 0;
    // What consists of digits and dots alone was meant to be an address.
    if (memchr(host.s, '/', host.n) || strspn(host.s, "0123456789.") >= host.n ||
        net_name_parse(host.s + skipped, host.n - skipped, name) < 0)
        return wrong(rule,
                     "this is neither a name (*.NAME for those below it) nor an address or "
                     "network",
                     err);
    r->kind = below ? NET_RULE_BELOW : NET_RULE_NAME;
    r->name = str_dup(name);
    return 0;
}

static int read_rule(struct piece rule, struct net_rule *r, struct err *err)
{
    struct piece p = rule;
    struct piece ports = {0};
    int ret = take_proto(&p, rule, r, err);
    if (ret < 0)
        return ret;
    if (p.n && p.s[0] == '[') {
        ret = read_bracketed(p, rule, r, &ports, err);
    } else {
        const char *colon = memchr(p.s, ':', p.n);
        if (colon && memrchr(p.s, ':', p.n) != colon)
            return wrong(rule, "an IPv6 address is written in brackets", err);
        struct piece host = {p.s, colon ? (size_t)(colon - p.s) : p.n};
        if (colon)
            ports = (struct piece){colon, p.n - host.n};
        ret = read_host(host, rule, r, err);
    }
    if (ret == 0 && ports.n)
        ret = read_ports((struct piece){ports.s + 1, ports.n - 1}, rule, r, err);
    if (ret == 0 && r->proto == NET_PROTO_ICMP && (r->port_from != 0 || r->port_to != 65535))
        ret = wrong(rule, "ICMP has no ports", err);
    if (ret == 0 && r->port_to == 0 && (r->kind == NET_RULE_NET || r->proto != NET_PROTO_ANY))
        ret = wrong(rule, "\"dns\" is for names alone", err);
    return ret;
}

int net_rules_parse(const char *list, bool allow, struct net_rules *rules, struct err *err)
{
    for (const char *s = list;; s++) {
        struct piece text = {s, strcspn(s, ",")};
        struct net_rule r = {.allow = allow, .port_to = 65535};
        if (rules->n >= NET_RULES_MAX)
            return err_set(err, E2BIG, "more than %d rules", NET_RULES_MAX);
        int ret = read_rule(text, &r, err);
        if (ret < 0) {
            free(r.name);
            return ret;
        }
        rules->v = mem_grow(rules->v, rules->n + 1, sizeof(*rules->v));
        rules->v[rules->n++] = r;
        s += text.n;
        if (!*s)
            return 0;
    }
}

void net_rules_done(struct net_rules *rules)
{
    for (size_t i = 0; i < rules->n; i++)
        free(rules->v[i].name);
    free(rules->v);
    *rules = (struct net_rules){0};
}

void net_rule_format(const struct net_rule *r, struct buf *out)
{
    char text[IP_NET_TEXT_MAX];
    switch (r->kind) {
    case NET_RULE_ALL:
        buf_addc(out, '*');
        break;
    case NET_RULE_NAME:
    case NET_RULE_BELOW:
        buf_addf(out, "%s%s", r->kind == NET_RULE_BELOW ? "*." : "", r->name);
        break;
    case NET_RULE_NET:
        ip_net_format(&r->net, text);
        buf_addf(out, r->net.addr.family == IP_V6 ? "[%s]" : "%s", text);
        break;
    }
    if (r->port_to == 0)
        buf_adds(out, ":dns");
    else if (r->port_from == r->port_to)
        buf_addf(out, ":%u", r->port_from);
    else if (r->port_from > 0)
        buf_addf(out, ":%u-%u", r->port_from, r->port_to);
    if (r->proto != NET_PROTO_ANY)
        buf_addf(out, "/%s", net_proto_word(r->proto));
}

bool net_rule_matches_name(const struct net_rule *r, const char *name)
{
    if (r->kind == NET_RULE_NAME)
        return strcmp(r->name, name) == 0;
    if (r->kind != NET_RULE_BELOW)
        return false;
    size_t have = strlen(name);
    size_t want = strlen(r->name);
    return have > want + 1 && name[have - want - 1] == '.' &&
           strcmp(name + have - want, r->name) == 0;
}

bool net_rule_matches_port(const struct net_rule *r, enum net_proto proto, uint16_t port)
{
    if (r->proto != NET_PROTO_ANY && r->proto != proto)
        return false;
    if (r->port_from == 0 && r->port_to == 65535)
        return true;
    return proto != NET_PROTO_ICMP && r->port_to != 0 && port >= r->port_from && port <= r->port_to;
}

const char *net_proto_word(enum net_proto proto)
{
    static const char *const words[] = {"any", "tcp", "udp", "icmp"};
    return words[proto];
}
