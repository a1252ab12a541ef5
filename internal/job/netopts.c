// SPDX-License-Identifier: Apache-2.0
#include "internal/job/netopts.h"

#include "internal/base/err.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void net_opts_init(struct net_opts *o)
{
    static const uint8_t prefix6[16] = {0xfd};
    *o = (struct net_opts){
        .mode = NETWORK_SLIRP,
        .cidr = {.addr = ip_v4(10, 0, 2, 0), .prefix = 24},
        .gateway4 = ip_v4(10, 0, 2, 2),
        .dns4 = ip_v4(10, 0, 2, 3),
        .job4 = ip_v4(10, 0, 2, 100),
        .gateway6 = ip_from_v6(prefix6),
        .dns6 = ip_from_v6(prefix6),
        .job6 = ip_from_v6(prefix6),
    };
    o->gateway6.bytes[15] = 2;
    o->dns6.bytes[15] = 3;
    o->job6.bytes[14] = 1;
}

void net_opts_done(struct net_opts *o)
{
    for (size_t i = 0; i < o->n_hosts; i++)
        free(o->hosts[i].name);
    free(o->hosts);
    free(o->publish);
    free(o->host_ports);
    free(o->log_file);
    free(o->lock_file);
    free(o->pcap_file);
    strv_done(&o->dns_search);
    net_rules_done(&o->rules);
    *o = (struct net_opts){0};
}

const char *net_opts_first_given(const struct net_opts *o)
{
    const struct {
        bool given;
        const char *name;
    } rows[] = {
        {o->mtu != 0, "--mtu"},
        {o->cidr.prefix != 24 || !ip_equal(&o->job4, &(struct ip_addr){IP_V4, {10, 0, 2, 100}}),
         "--net-addr"},
        {o->n_publish > 0, "--publish"},
        {o->n_dns > 0, "--dns"},
        {o->dns_search.n > 0, "--dns-search"},
        {o->allow_given, "--allow"},
        {o->rules.n > 0, "--deny"},
        {o->allow_host, "--allow-host"},
        {o->log_file != NULL, "--net-log"},
        {o->lock_file != NULL, "--net-lock"},
        {o->pcap_file != NULL, "--pcap"},
        {o->rate_bps != 0, "--net-rate"},
        {o->delay_us != 0, "--net-delay"},
        {o->loss_ppm != 0, "--net-loss"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (rows[i].given)
            return rows[i].name;
    return NULL;
}

// Whether both listen on one port of one address; a wildcard meets every address.
static bool collide(const struct net_publish *a, const struct net_publish *b)
{
    if (a->udp != b->udp || a->host == 0 || b->host == 0)
        return false;
    if (a->addr.family != IP_NONE && b->addr.family != IP_NONE && !ip_equal(&a->addr, &b->addr))
        return false;
    return a->host < b->host + b->count && b->host < a->host + a->count;
}

static int check_publish(const struct net_opts *o, struct err *err)
{
    size_t total = 0;
    for (size_t i = 0; i < o->n_publish; i++) {
        total += o->publish[i].count;
        for (size_t j = 0; j < i; j++)
            if (collide(&o->publish[i], &o->publish[j]))
                return err_set(err, EINVAL, "--publish: port %u of the machine is given twice",
                               o->publish[i].host > o->publish[j].host ? o->publish[i].host
                                                                       : o->publish[j].host);
    }
    if (total > NET_PUBLISH_MAX)
        return err_set(err, E2BIG, "--publish: %zu ports are more than the %d that are possible",
                       total, NET_PUBLISH_MAX);
    return 0;
}

int net_opts_check(const struct net_opts *o, struct err *err)
{
    const char *given = net_opts_first_given(o);
    if (given && o->mode != NETWORK_SLIRP) {
        (void)err_set(err, EINVAL, "%s needs a network of the job's own, not --network %s", given,
                      o->mode == NETWORK_HOST ? "host" : "none");
        return err_hint(err, "give --network slirp");
    }
    if (o->log_file && o->lock_file && strcmp(o->log_file, o->lock_file) == 0)
        return err_set(err, EINVAL, "--net-log and --net-lock name the same file");
    return check_publish(o, err);
}
