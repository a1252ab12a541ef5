// SPDX-License-Identifier: Apache-2.0
// The rules of --allow and --deny.
#include "internal/base/buf.h"
#include "internal/base/err.h"
#include "internal/job/netrule.h"
#include "tests/unit/tap.h"

#include <errno.h>
#include <stdlib.h>

static void texts(void)
{
    static const struct {
        const char *text;
        const char *want; // written again; NULL: refused
    } rows[] = {
        {"example.org", "example.org"},
        {"Example.ORG.:443", "example.org:443"},
        {"*.example.org:80-443/tcp", "*.example.org:80-443/tcp"},
        {"*", "*"},
        {"*:53/udp", "*:53/udp"},
        {"10.0.0.0/8:*", "10.0.0.0/8"},
        {"10.1.2.3/8:22", "10.0.0.0/8:22"},
        {"1.2.3.4/icmp", "1.2.3.4/icmp"},
        {"1.2.3.4/32/udp", "1.2.3.4/udp"},
        {"[2001:db8::1]:443", "[2001:db8::1]:443"},
        {"[2001:db8::/32]:443/tcp", "[2001:db8::/32]:443/tcp"},
        {"[2001:db8::]/32:443/tcp", "[2001:db8::/32]:443/tcp"},
        {"[::]/0", "[::/0]"},
        {"[::1]", "[::1]"},
        {"_http._tcp.deb.debian.org:dns", "_http._tcp.deb.debian.org:dns"},
        {"*:dns", "*:dns"},
        {"a.b,c.d:1", "a.b,c.d:1"},
        {"1st.example", "1st.example"},
        {"", NULL},
        {",", NULL},
        {"a.b,", NULL},
        {":443", NULL},
        {"a b", NULL},
        {"a..b", NULL},
        {"-", "-"},
        {"*.", NULL},
        {"**.a", NULL},
        {"a.*.b", NULL},
        {"*a.b", NULL},
        {"a.b:0", NULL},
        {"a.b:65536", NULL},
        {"a.b:443-80", NULL},
        {"a.b:80-", NULL},
        {"a.b:http", NULL},
        {"a.b/sctp", NULL},
        {"a.b/", NULL},
        {"a.b:80/", NULL},
        {"a.b/8", NULL},
        {"a.b:53/icmp", NULL},
        {"a.b:dns/tcp", NULL},
        {"1.2.3.4:dns", NULL},
        {"1.2.3", NULL},
        {"1.2.3.4.5", NULL},
        {"1.2.3.4/33", NULL},
        {"::1", NULL},
        {"2001:db8::1:443", NULL},
        {"[1.2.3.4]:80", NULL},
        {"[::1", NULL},
        {"[::1]80", NULL},
        {"[::1]/129", NULL},
        {"[]:80", NULL},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct net_rules rules = {0};
        struct err err = {0};
        AUTO_BUF struct buf text = {0};
        int r = net_rules_parse(rows[i].text, true, &rules, &err);
        for (size_t k = 0; k < rules.n && r == 0; k++) {
            buf_adds(&text, k ? "," : "");
            net_rule_format(&rules.v[k], &text);
        }
        if (rows[i].want)
            is_str(r == 0 ? buf_str(&text) : err.text, rows[i].want, "rule \"%s\"", rows[i].text);
        else
            ok(r == -EINVAL && err.num == EINVAL && err.hint[0], "no rule: \"%s\"", rows[i].text);
        net_rules_done(&rules);
    }
}

static struct net_rule one(const char *text)
{
    struct net_rules rules = {0};
    struct net_rule r = {0};
    if (net_rules_parse(text, true, &rules, NULL) == 0)
        r = rules.v[0];
    free(rules.v);
    return r; // the name stays with it
}

static void matching(void)
{
    struct net_rule exact = one("example.org:80-90/tcp");
    struct net_rule below = one("*.example.org");
    struct net_rule dns = one("example.org:dns");
    ok(net_rule_matches_name(&exact, "example.org"), "a name is itself");
    ok(!net_rule_matches_name(&exact, "www.example.org"), "and not those below it");
    ok(net_rule_matches_name(&below, "www.example.org"), "*. is those below");
    ok(net_rule_matches_name(&below, "a.b.example.org"), "at any depth");
    ok(!net_rule_matches_name(&below, "example.org"), "and not the name itself");
    ok(!net_rule_matches_name(&below, "notexample.org"), "nor one that ends alike");
    ok(!net_rule_matches_name(&below, ".example.org"), "nor an empty label");
    ok(net_rule_matches_port(&exact, NET_PROTO_TCP, 80) &&
           net_rule_matches_port(&exact, NET_PROTO_TCP, 90),
       "both ends of a range are in it");
    ok(!net_rule_matches_port(&exact, NET_PROTO_TCP, 79) &&
           !net_rule_matches_port(&exact, NET_PROTO_TCP, 91),
       "and nothing beyond");
    ok(!net_rule_matches_port(&exact, NET_PROTO_UDP, 80), "another protocol does not match");
    ok(net_rule_matches_port(&below, NET_PROTO_ICMP, 0), "every port means ping too");
    ok(!net_rule_matches_port(&exact, NET_PROTO_ICMP, 80), "some ports do not");
    ok(!net_rule_matches_port(&dns, NET_PROTO_TCP, 0) &&
           !net_rule_matches_port(&dns, NET_PROTO_UDP, 53),
       "\"dns\" connects to nothing");
    free(exact.name);
    free(below.name);
    free(dns.name);
}

static void limits(void)
{
    struct net_rules rules = {0};
    struct err err = {0};
    AUTO_BUF struct buf list = {0};
    for (int i = 0; i <= NET_RULES_MAX; i++)
        buf_addf(&list, "%sh%d.example", i ? "," : "", i);
    is_int(net_rules_parse(buf_str(&list), false, &rules, &err), -E2BIG, "too many rules");
    is_int((intmax_t)rules.n, NET_RULES_MAX, "the bound itself is taken");
    net_rules_done(&rules);
    char name[NET_NAME_MAX];
    char text[300];
    memset(text, 'a', sizeof(text));
    for (size_t i = 63; i < sizeof(text); i += 64)
        text[i] = '.';
    ok(net_name_parse(text, 253, name) == 0 && net_name_parse(text, 254, name) < 0,
       "a name has 253 bytes at most");
    ok(net_name_parse("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 64,
                      name) < 0,
       "a label 63");
}

int main(void)
{
    texts();
    matching();
    limits();
    return done_testing();
}
