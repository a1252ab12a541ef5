// SPDX-License-Identifier: Apache-2.0
// Values of the network's options, a lock file, a resolv.conf. The first byte of the input chooses.
#include "internal/base/buf.h"
#include "internal/base/err.h"
#include "internal/job/netlock.h"
#include "internal/job/netopts.h"
#include "internal/job/resolvconf.h"
#include "net/names.h"
#include "net/policy.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

// A rule that was read is written, and read again as itself.
static void check_rules(const char *text)
{
    struct net_rules rules = {0};
    struct err err = {0};
    int r = net_rules_parse(text, true, &rules, &err);
    require(r == 0 ? err.num == 0 && rules.n > 0 : err.num == -r && err.text[0]);
    for (size_t i = 0; i < rules.n; i++) {
        struct net_rules again = {0};
        AUTO_BUF struct buf one = {0};
        AUTO_BUF struct buf two = {0};
        net_rule_format(&rules.v[i], &one);
        require(net_rules_parse(buf_str(&one), true, &again, NULL) == 0 && again.n == 1);
        net_rule_format(&again.v[0], &two);
        require(strcmp(buf_str(&one), buf_str(&two)) == 0);
        require(rules.v[i].port_from <= rules.v[i].port_to);
        net_rules_done(&again);
    }
    net_rules_done(&rules);
}

static void check_option(net_opt_parse *parse, const char *text)
{
    struct net_opts o;
    struct err err = {0};
    net_opts_init(&o);
    int r = parse(&o, text, &err);
    require(r == 0 ? err.num == 0 : err.num == -r && err.text[0]);
    o.mode = NETWORK_SLIRP;
    (void)net_opts_check(&o, NULL);
    for (size_t i = 0; r == 0 && i < o.n_publish; i++) {
        const struct net_publish *p = &o.publish[i];
        require(p->count >= 1 && p->job >= 1 && p->job + p->count - 1 <= 65535 &&
                p->host + p->count - 1 <= 65535);
    }
    require(o.jitter_us <= o.delay_us && o.loss_ppm <= 1000000 && o.n_dns <= NET_DNS_MAX);
    net_opts_done(&o);
}

static void check_lock(const char *text, size_t n)
{
    struct net_rules rules = {0};
    struct netlock lock = {0};
    struct err err = {0};
    AUTO_BUF struct buf out = {0};
    int r = netlock_read(text, n, &rules, &err);
    require(r == 0 ? err.num == 0 : err.num == -r && err.text[0]);
    const struct ip_addr a = ip_v4(1, 2, 3, 4);
    AUTO_FREE char *name = str_dupn(text, n);
    netlock_used(&lock, name, &a, NET_PROTO_TCP, 80);
    netlock_used(&lock, name, &a, NET_PROTO_ANY, 0);
    netlock_used(&lock, "", &a, NET_PROTO_ICMP, 0);
    netlock_write(&lock, &out);
    net_rules_done(&rules);
    // What is written can be read.
    require(netlock_read(out.data, out.len, &rules, NULL) == 0 && rules.n >= 2);
    net_rules_done(&rules);
    netlock_done(&lock);
}

static void check_resolv(const char *text, size_t n)
{
    struct net_opts o;
    AUTO_RESOLV_CONF struct resolv_conf c;
    AUTO_RESOLV_CONF struct resolv_conf again;
    AUTO_BUF struct buf out = {0};
    net_opts_init(&o);
    resolv_conf_read(text, n, &c);
    require(c.n_servers <= NET_DNS_MAX && c.search.n <= NET_SEARCH_MAX);
    resolv_conf_for_job(&o, &c, &out);
    resolv_conf_read(out.data, out.len, &again);
    require(again.n_servers == 1 && again.search.n == c.search.n && again.ndots == c.ndots);
    net_opts_done(&o);
}

// No rule opens what is closed.
static void check_policy(const uint8_t *data, size_t n)
{
    struct net_opts o;
    if (n < 20)
        return;
    AUTO_FREE char *list = str_dupn((const char *)data + 20, n - 20);
    net_opts_init(&o);
    (void)net_opt_allow(&o, list, NULL);
    struct policy p = {.opts = &o, .names = names_new()};
    struct flow f = {.key = {.dst = data[0] & 1 ? ip_from_v6(data + 4) : ip_from_v4(data + 4),
                             .dport = (uint16_t)(data[1] << 8 | data[2]),
                             .proto = NET_PROTO_TCP}};
    names_add(p.names, &f.key.dst, "a.example", true, 60, 0);
    (void)policy_decide(&p, &f, 1, NULL);
    if (f.key.dst.bytes[0] == 127 && f.key.dst.family == IP_V4)
        require(f.verdict == FLOW_CLOSED);
    if (f.verdict == FLOW_ALLOWED && ip_equal(&f.host, &f.key.dst))
        require(f.why[0] != '\0'); // there was an --allow, and it was that one
    names_free(p.names);
    net_opts_done(&o);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static net_opt_parse *const parsers[] = {
        net_opt_network, net_opt_mtu,        net_opt_addr,     net_opt_publish,
        net_opt_dns,     net_opt_dns_search, net_opt_add_host, net_opt_allow_host,
        net_opt_rate,    net_opt_delay,      net_opt_loss,     net_opt_deny,
    };
    const size_t n_parsers = sizeof(parsers) / sizeof(parsers[0]);
    if (size == 0 || size > 4096)
        return 0;
    AUTO_FREE char *text = str_dupn((const char *)data + 1, size - 1);
    size_t which = data[0] % (n_parsers + 4);
    if (which < n_parsers)
        check_option(parsers[which], text);
    else if (which == n_parsers)
        check_rules(text);
    else if (which == n_parsers + 1)
        check_lock(text, size - 1);
    else if (which == n_parsers + 2)
        check_resolv(text, size - 1);
    else
        check_policy(data + 1, size - 1);
    return 0;
}
