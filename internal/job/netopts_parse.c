// SPDX-License-Identifier: Apache-2.0
// Values of the network options: mode, addresses, names, rules, files. Ports: netopts_ports.c,
// shaping: netopts_shape.c.
#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/base/parse.h"
#include "internal/job/netopts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int net_opt_network(struct net_opts *o, const char *value, struct err *err)
{
    static const struct {
        const char *word;
        enum network_mode mode;
        bool fast_off;
    } rows[] = {
        {"slirp", NETWORK_SLIRP, false},         {"none", NETWORK_NONE, false},
        {"host", NETWORK_HOST, false},           {"slirp:fast=on", NETWORK_SLIRP, false},
        {"slirp:fast=off", NETWORK_SLIRP, true},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (strcmp(rows[i].word, value) == 0) {
            o->mode = rows[i].mode;
            o->mode_given = true;
            o->fast_off = rows[i].fast_off;
            return 0;
        }
    }
    return err_set(err, EINVAL, "\"%s\" is not one of slirp, slirp:fast=off, none or host", value);
}

int net_opt_mtu(struct net_opts *o, const char *value, struct err *err)
{
    uint64_t mtu = 0;
    if (parse_u64(value, NET_MTU_MIN, NET_MTU_MAX, &mtu) < 0)
        return err_set(err, EINVAL, "\"%s\" is not a number from %d to %d", value, NET_MTU_MIN,
                       NET_MTU_MAX);
    o->mtu = (uint32_t)mtu;
    return 0;
}

static struct ip_addr with_host(const struct ip_net *net, uint8_t number)
{
    struct ip_addr a = net->addr;
    a.bytes[3] |= number;
    return a;
}

// Networks that mean something else to every machine: nothing in them could be routed.
static bool is_reserved(const struct ip_net *net)
{
    static const struct ip_net reserved[] = {
        {{IP_V4, {0}}, 8}, {{IP_V4, {127}}, 8}, {{IP_V4, {169, 254}}, 16}, {{IP_V4, {224}}, 3}};
    for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++)
        if (ip_in_net(&net->addr, &reserved[i]))
            return true;
    return false;
}

int net_opt_addr(struct net_opts *o, const char *value, struct err *err)
{
    struct ip_net net = {0};
    struct ip_addr job = {0};
    if (!strchr(value, '/') || ip_net_parse(value, strlen(value), &net, &job) < 0 ||
        net.addr.family != IP_V4 || net.prefix < 8 || net.prefix > 25)
        return err_set(err, EINVAL,
                       "\"%s\" is not an IPv4 network such as 10.9.0.0/24, with a "
                       "prefix from 8 to 25",
                       value);
    if (is_reserved(&net))
        return err_set(err, EINVAL, "\"%s\" is no network for hosts", value);
    const struct ip_addr taken[] = {with_host(&net, 2), with_host(&net, 3)};
    if (ip_equal(&job, &net.addr))
        job = with_host(&net, 100);
    struct ip_addr last = net.addr;
    for (unsigned bit = net.prefix; bit < 32; bit++)
        last.bytes[bit / 8] |= (uint8_t)(0x80U >> (bit % 8));
    if (ip_equal(&job, &taken[0]) || ip_equal(&job, &taken[1]) || ip_equal(&job, &last))
        return err_set(err, EINVAL,
                       "\"%s\" cannot be the job's address: .2 is the gateway, .3 the "
                       "resolver, the last one the broadcast",
                       value);
    // host-gateway may have been said before.
    for (size_t i = 0; i < o->n_hosts; i++)
        if (ip_equal(&o->hosts[i].addr, &o->gateway4))
            o->hosts[i].addr = taken[0];
    o->cidr = net;
    o->gateway4 = taken[0];
    o->dns4 = taken[1];
    o->job4 = job;
    return 0;
}

// IP, IP:PORT or [IPv6]:PORT.
static int read_server(const char *s, size_t n, struct net_dns_server *ret)
{
    uint64_t port = 53;
    if (ip_parse(s, n, &ret->addr) == 0) {
        ret->port = 53;
        return 0;
    }
    const char *colon = memrchr(s, ':', n);
    if (!colon || parse_u64n(colon + 1, (size_t)(s + n - colon - 1), 1, 65535, &port) < 0)
        return -EINVAL;
    size_t host = (size_t)(colon - s);
    bool bracketed = host > 2 && s[0] == '[' && s[host - 1] == ']';
    if (ip_parse(s + bracketed, host - (bracketed ? 2 : 0), &ret->addr) < 0 ||
        (ret->addr.family == IP_V6) != bracketed)
        return -EINVAL;
    ret->port = (uint16_t)port;
    return 0;
}

int net_opt_dns(struct net_opts *o, const char *value, struct err *err)
{
    for (const char *s = value;; s++) {
        size_t n = strcspn(s, ",");
        struct net_dns_server server;
        if (read_server(s, n, &server) < 0)
            return err_set(err, EINVAL,
                           "\"%.*s\" is not the address of a resolver: expected IP, "
                           "IP:PORT or [IPv6]:PORT",
                           (int)n, s);
        if (o->n_dns == NET_DNS_MAX)
            return err_set(err, E2BIG, "more than %d resolvers", NET_DNS_MAX);
        o->dns[o->n_dns++] = server;
        s += n;
        if (!*s)
            return 0;
    }
}

int net_opt_dns_search(struct net_opts *o, const char *value, struct err *err)
{
    for (const char *s = value;; s++) {
        char name[NET_NAME_MAX] = ".";
        size_t n = strcspn(s, ",");
        bool none = n == 1 && *s == '.';
        if (!none && net_name_parse(s, n, name) < 0)
            return err_set(err, EINVAL, "\"%.*s\" is not a domain (\".\" is none)", (int)n, s);
        if (o->dns_search.n == NET_SEARCH_MAX)
            return err_set(err, E2BIG, "more than %d domains", NET_SEARCH_MAX);
        strv_add(&o->dns_search, name);
        s += n;
        if (!*s)
            return 0;
    }
}

int net_opt_add_host(struct net_opts *o, const char *value, struct err *err)
{
    char name[NET_NAME_MAX];
    struct ip_addr addr = {0};
    const char *colon = strchr(value, ':');
    const char *ip = colon ? colon + 1 : "";
    size_t n = strlen(ip);
    bool bracketed = n > 2 && ip[0] == '[' && ip[n - 1] == ']';
    if (!colon || net_name_parse(value, (size_t)(colon - value), name) < 0)
        return err_set(err, EINVAL, "\"%s\" is not of the form NAME:IP", value);
    // docker's word for the machine that the job runs on
    if (strcmp(ip, "host-gateway") == 0)
        addr = o->gateway4;
    else if (ip_parse(ip + bracketed, n - (bracketed ? 2 : 0), &addr) < 0)
        return err_set(err, EINVAL, "\"%s\" is not an IP address", ip);
    o->hosts = mem_grow(o->hosts, o->n_hosts + 1, sizeof(*o->hosts));
    o->hosts[o->n_hosts++] = (struct net_host){str_dup(name), addr};
    return 0;
}

int net_opt_allow(struct net_opts *o, const char *value, struct err *err)
{
    o->allow_given = true;
    return net_rules_parse(value, true, &o->rules, err);
}

int net_opt_deny(struct net_opts *o, const char *value, struct err *err)
{
    return net_rules_parse(value, false, &o->rules, err);
}

static int set_file(char **field, const char *value, struct err *err)
{
    if (!*value)
        return err_set(err, EINVAL, "expected a file, not an empty word");
    free(*field);
    *field = str_dup(value);
    return 0;
}

int net_opt_log(struct net_opts *o, const char *value, struct err *err)
{
    return set_file(&o->log_file, value, err);
}

int net_opt_lock(struct net_opts *o, const char *value, struct err *err)
{
    return set_file(&o->lock_file, value, err);
}

int net_opt_pcap(struct net_opts *o, const char *value, struct err *err)
{
    return set_file(&o->pcap_file, value, err);
}
