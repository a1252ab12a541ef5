// SPDX-License-Identifier: Apache-2.0
// The options of a job's network, and resolv.conf.
#include "internal/base/err.h"
#include "internal/job/netopts.h"
#include "internal/job/resolvconf.h"
#include "tests/unit/tap.h"

#include <errno.h>

static void refused(net_opt_parse *parse, const char *option, const char *const *values)
{
    for (; *values; values++) {
        struct net_opts o;
        struct err err = {0};
        net_opts_init(&o);
        int r = parse(&o, *values, &err);
        ok(r < 0 && err.num == -r && err.text[0], "%s \"%s\" is refused", option, *values);
        net_opts_done(&o);
    }
}

#define REFUSED(parse, option, ...) refused(parse, option, (const char *const[]){__VA_ARGS__, NULL})

static void modes(void)
{
    struct net_opts o;
    net_opts_init(&o);
    ok(net_opt_network(&o, "slirp:fast=off", NULL) == 0 && o.mode == NETWORK_SLIRP && o.fast_off,
       "slirp without the fast path");
    ok(net_opt_network(&o, "slirp", NULL) == 0 && !o.fast_off, "the last one counts");
    ok(net_opt_network(&o, "host", NULL) == 0 && o.mode == NETWORK_HOST, "host");
    REFUSED(net_opt_network, "--network", "", "bridge", "slirp:", "slirp:fast=maybe", "none:x");
    ok(net_opt_mtu(&o, "1500", NULL) == 0 && o.mtu == 1500, "--mtu");
    REFUSED(net_opt_mtu, "--mtu", "", "1279", "65521", "1500b", "-1");
    net_opts_done(&o);
}

static void addresses(void)
{
    struct net_opts o;
    char a[IP_TEXT_MAX];
    net_opts_init(&o);
    is_str(ip_format(&o.job6, a), "fd00::100", "the job's IPv6 address");
    ok(net_opt_add_host(&o, "machine:host-gateway", NULL) == 0, "--add-host with the gateway");
    ok(net_opt_addr(&o, "10.9.1.7/16", NULL) == 0, "--net-addr with the job's address");
    is_str(ip_format(&o.job4, a), "10.9.1.7", "is the job's");
    is_str(ip_format(&o.gateway4, a), "10.9.0.2", "the gateway is .2");
    is_str(ip_format(&o.dns4, a), "10.9.0.3", "the resolver .3");
    ok(ip_equal(&o.hosts[0].addr, &o.gateway4), "host-gateway follows");
    ok(net_opt_addr(&o, "192.168.9.128/25", NULL) == 0, "--net-addr with a network");
    is_str(ip_format(&o.job4, a), "192.168.9.228", "the job is number 100 of it");
    REFUSED(net_opt_addr, "--net-addr", "10.0.2.0", "10.0.2.0/26", "10.0.2.0/7", "10.0.2.2/24",
            "10.0.2.3/24", "10.0.2.255/24", "127.0.0.0/8", "169.254.3.0/24", "224.0.0.0/8",
            "0.0.0.0/8", "fd00::/64", "10.0.2/24", "");
    net_opts_done(&o);
}

static void publish(void)
{
    static const struct {
        const char *value;
        const char *addr; // "": every
        unsigned host, job, count, entries;
        bool udp;
    } rows[] = {
        {"8080:80", "", 8080, 80, 1, 1, false},
        {"80", "", 0, 80, 1, 1, false},
        {"0:80", "", 0, 80, 1, 1, false},
        {":80", "", 0, 80, 1, 1, false},
        {"127.0.0.1:8080:80", "127.0.0.1", 8080, 80, 1, 1, false},
        {"127.0.0.1::80", "127.0.0.1", 0, 80, 1, 1, false},
        {"[::1]:8080:80/tcp", "::1", 8080, 80, 1, 1, false},
        {":8080:80", "", 8080, 80, 1, 1, false},
        {"53:5353/udp", "", 53, 5353, 1, 1, true},
        {"8000-8010:9000-9010", "", 8000, 9000, 11, 1, false},
        {"9000-9002", "", 0, 9000, 1, 3, false},
        {"1-65535:1-65535", NULL, 0, 0, 0, 0, false},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct net_opts o;
        char a[IP_TEXT_MAX];
        net_opts_init(&o);
        int r = net_opt_publish(&o, rows[i].value, NULL);
        const struct net_publish *p = o.publish;
        if (!rows[i].addr)
            ok(r < 0, "--publish %s is too much", rows[i].value);
        else
            ok(r == 0 && o.n_publish == rows[i].entries && p->host == rows[i].host &&
                   p->job == rows[i].job && p->count == rows[i].count && p->udp == rows[i].udp &&
                   strcmp(ip_format(&p->addr, a), rows[i].addr) == 0,
               "--publish %s", rows[i].value);
        if (r == 0)
            ok(o.publish[o.n_publish - 1].job == rows[i].job + rows[i].entries - 1 ||
                   rows[i].entries == 1,
               "and the last of them");
        net_opts_done(&o);
    }
    REFUSED(net_opt_publish, "--publish", "", ":", "80:", "80:0", "65536:80", "80:65536", "a:b",
            "80/sctp", "80/", "1.2.3:80:80", "[::1]80:80", "[::1:80:80", "1-3:1-2", "3-1:3-1",
            "0-5:1-6", "1:2:3:4", "::1:80:80", "80 :80", "localhost:80:80");
}

static void collisions(void)
{
    static const struct {
        const char *a;
        const char *b;
        bool collide;
    } rows[] = {
        {"80:80", "80:81", true},
        {"80:80", "80:80/udp", false},
        {"127.0.0.1:80:80", "80:81", true},
        {"127.0.0.1:80:80", "127.0.0.2:80:81", false},
        {"80-90:80-90", "85:1", true},
        {"80-90:80-90", "91:1", false},
        {"0:80", "0:80", false},
        {"127.0.0.1:80:80", "[::1]:80:80", false},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct net_opts o;
        net_opts_init(&o);
        o.mode = NETWORK_SLIRP;
        (void)net_opt_publish(&o, rows[i].a, NULL);
        (void)net_opt_publish(&o, rows[i].b, NULL);
        ok((net_opts_check(&o, NULL) < 0) == rows[i].collide && o.n_publish == 2, "%s and %s: %s",
           rows[i].a, rows[i].b, rows[i].collide ? "collide" : "fit");
        net_opts_done(&o);
    }
}

static void names(void)
{
    struct net_opts o;
    char a[IP_TEXT_MAX];
    net_opts_init(&o);
    ok(net_opt_dns(&o, "9.9.9.9,1.1.1.1:5353,[2001:db8::1]:54,2001:db8::2", NULL) == 0 &&
           o.n_dns == 4 && o.dns[0].port == 53 && o.dns[1].port == 5353 && o.dns[2].port == 54 &&
           o.dns[3].port == 53,
       "--dns in all its forms");
    is_str(ip_format(&o.dns[2].addr, a), "2001:db8::1", "the third");
    REFUSED(net_opt_dns, "--dns", "", ",", "localhost", "1.2.3.4:", "1.2.3.4:0", "1.2.3.4:65536",
            "[1.2.3.4]:53", "[::1]", "1.2.3.4,");
    ok(net_opt_dns_search(&o, "Corp.Example,b.", NULL) == 0 && o.dns_search.n == 2, "--dns-search");
    is_str(o.dns_search.v[0], "corp.example", "in lower case");
    REFUSED(net_opt_dns_search, "--dns-search", "", "a b", "a,,b", "1,2,3,4,5,6,7");
    ok(net_opt_add_host(&o, "DB:10.1.2.3", NULL) == 0 &&
           net_opt_add_host(&o, "db:fd12::1", NULL) == 0 &&
           net_opt_add_host(&o, "six:[fd12::1]", NULL) == 0 && o.n_hosts == 3,
       "--add-host");
    is_str(o.hosts[0].name, "db", "in lower case");
    REFUSED(net_opt_add_host, "--add-host", "", "db", "db:", ":1.2.3.4", "d b:1.2.3.4",
            "db:1.2.3.4 x", "db:1.2.3.4\t");
    net_opts_done(&o);
}

static void policy(void)
{
    struct net_opts o;
    net_opts_init(&o);
    ok(net_opt_allow_host(&o, "80,8000-8010", NULL) == 0 && o.allow_host && o.n_host_ports == 2,
       "--allow-host with ports");
    ok(net_opt_allow_host(&o, "", NULL) == 0 && o.n_host_ports == 0, "all of them wins");
    ok(net_opt_allow_host(&o, "80", NULL) == 0 && o.n_host_ports == 0, "also when said before");
    REFUSED(net_opt_allow_host, "--allow-host", "0", "80,", "80-70", "http", "65536", " 80");
    ok(net_opt_deny(&o, "*:25", NULL) == 0 && !o.allow_given, "--deny alone leaves the rest open");
    ok(net_opt_allow(&o, "a.b", NULL) == 0 && o.allow_given && o.rules.n == 2 &&
           !o.rules.v[0].allow && o.rules.v[1].allow,
       "the order of --deny and --allow is kept");
    net_opts_done(&o);
}

static void shaping(void)
{
    static const struct {
        const char *value;
        uint64_t bits;
    } rates[] = {
        {"10mbit", 10000000}, {"800kbit", 800000}, {"1.5gbit", 1500000000}, {"1mbps", 8000000},
        {"8000bit", 8000},    {"1Mibit", 1048576}, {"0.008mbit", 8000},
    };
    struct net_opts o;
    net_opts_init(&o);
    for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++)
        ok(net_opt_rate(&o, rates[i].value, NULL) == 0 && o.rate_bps == rates[i].bits,
           "--net-rate %s", rates[i].value);
    REFUSED(net_opt_rate, "--net-rate", "", "10", "10m", "mbit", "1e3mbit", "-1mbit", "0mbit",
            "7999bit", "1001gbit", "1.mbit", "1..5mbit", "99999999999999999999gbit");
    ok(net_opt_delay(&o, "20ms", NULL) == 0 && o.delay_us == 20000 && o.jitter_us == 0,
       "--net-delay");
    ok(net_opt_delay(&o, "20ms,500us", NULL) == 0 && o.jitter_us == 500, "with jitter");
    REFUSED(net_opt_delay, "--net-delay", "", "ms", "20ms,", "20ms,21ms", "61s", "-1ms", "1,1,1");
    ok(net_opt_loss(&o, "1%", NULL) == 0 && o.loss_ppm == 10000, "--net-loss 1%%");
    ok(net_opt_loss(&o, "0.25%", NULL) == 0 && o.loss_ppm == 2500, "--net-loss 0.25%%");
    ok(net_opt_loss(&o, "100%", NULL) == 0 && o.loss_ppm == 1000000, "--net-loss 100%%");
    REFUSED(net_opt_loss, "--net-loss", "", "1", "%", "101%", "100.1%", "-1%", "1%%", ".5%");
    net_opts_done(&o);
}

static void need_a_network(void)
{
    static const struct {
        net_opt_parse *parse;
        const char *value;
        const char *name;
    } rows[] = {
        {net_opt_mtu, "1500", "--mtu"},
        {net_opt_addr, "10.9.0.0/24", "--net-addr"},
        {net_opt_addr, "10.0.2.15/24", "--net-addr"},
        {net_opt_publish, "80", "--publish"},
        {net_opt_dns, "1.1.1.1", "--dns"},
        {net_opt_dns_search, "a", "--dns-search"},
        {net_opt_allow, "a", "--allow"},
        {net_opt_deny, "a", "--deny"},
        {net_opt_allow_host, "", "--allow-host"},
        {net_opt_log, "f", "--net-log"},
        {net_opt_lock, "f", "--net-lock"},
        {net_opt_pcap, "f", "--pcap"},
        {net_opt_rate, "1mbit", "--net-rate"},
        {net_opt_delay, "1ms", "--net-delay"},
        {net_opt_loss, "1%", "--net-loss"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct net_opts o;
        struct err err = {0};
        net_opts_init(&o);
        ok(rows[i].parse(&o, rows[i].value, NULL) == 0, "%s %s", rows[i].name, rows[i].value);
        o.mode = NETWORK_SLIRP;
        is_int(net_opts_check(&o, NULL), 0, "is good with a network");
        o.mode = i % 2 ? NETWORK_NONE : NETWORK_HOST;
        ok(net_opts_check(&o, &err) < 0 &&
               strncmp(err.text, rows[i].name, strlen(rows[i].name)) == 0,
           "and not without");
        net_opts_done(&o);
    }
}

static void resolv(void)
{
    static const char text[] = "# comment\nnameserver 127.0.0.53\n  nameserver\t2001:db8::1 x\n"
                               "nameserver fe80::1%eth0\nnameserver bad\nnameserver\n"
                               "domain old.example\nsearch A.example b.example. -bad..x\n"
                               "options edns0 ndots:3 trust-ad\nnameserver 9.9.9.9";
    struct resolv_conf c;
    struct net_opts o;
    AUTO_BUF struct buf out = {0};
    net_opts_init(&o);
    resolv_conf_read(text, sizeof(text) - 1, &c);
    is_int((intmax_t)c.n_servers, 4, "four resolvers");
    is_str(c.servers[2].zone, "eth0", "one with a zone");
    ok(ip_equal(&c.servers[3].at.addr, &(struct ip_addr){IP_V4, {9, 9, 9, 9}}),
       "the last line needs no newline");
    ok(c.search.n == 2 && strcmp(c.search.v[1], "b.example") == 0, "the last search list counts");
    resolv_conf_for_job(&o, &c, &out);
    is_str(buf_str(&out), "nameserver 10.0.2.3\nsearch a.example b.example\noptions ndots:3\n",
           "the job's file");
    buf_clear(&out);
    (void)net_opt_dns_search(&o, ".", NULL);
    resolv_conf_for_job(&o, &c, &out);
    is_str(buf_str(&out), "nameserver 10.0.2.3\noptions ndots:3\n", "--dns-search . is none");
    resolv_conf_done(&c);
    net_opts_done(&o);
}

int main(void)
{
    modes();
    addresses();
    publish();
    collisions();
    names();
    policy();
    shaping();
    need_a_network();
    resolv();
    return done_testing();
}
