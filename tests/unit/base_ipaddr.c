// SPDX-License-Identifier: Apache-2.0
#include "internal/base/ipaddr.h"
#include "tests/unit/tap.h"

static void addresses(void)
{
    static const struct {
        const char *text;
        const char *want; // NULL: refused
    } rows[] = {
        {"1.2.3.4", "1.2.3.4"},
        {"255.255.255.255", "255.255.255.255"},
        {"2001:DB8::1", "2001:db8::1"},
        {"::", "::"},
        {"::ffff:1.2.3.4", "::ffff:1.2.3.4"},
        {"", NULL},
        {"1.2.3", NULL},
        {"1.2.3.4.5", NULL},
        {"1.2.3.256", NULL},
        {"01.2.3.4", NULL},
        {"0x1.2.3.4", NULL},
        {" 1.2.3.4", NULL},
        {"1.2.3.4 ", NULL},
        {"[::1]", NULL},
        {"fe80::1%eth0", NULL},
        {"1:2:3:4:5:6:7:8:9", NULL},
        {"1111:2222:3333:4444:5555:6666:123.123.123.1234", NULL},
        {"localhost", NULL},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct ip_addr a = {0};
        char text[IP_TEXT_MAX];
        int r = ip_parse(rows[i].text, strlen(rows[i].text), &a);
        ok((r == 0) == (rows[i].want != NULL) &&
               strcmp(ip_format(&a, text), rows[i].want ? rows[i].want : "") == 0,
           "address \"%s\"", rows[i].text);
    }
}

static void networks(void)
{
    static const struct {
        const char *net;
        const char *want; // NULL: refused
        const char *in;
        const char *out;
    } rows[] = {
        {"10.0.0.0/8", "10.0.0.0/8", "10.255.0.1", "11.0.0.0"},
        {"10.1.2.3/8", "10.0.0.0/8", "10.0.0.0", "9.255.255.255"},
        {"192.168.5.0/23", "192.168.4.0/23", "192.168.5.255", "192.168.6.0"},
        {"1.2.3.4", "1.2.3.4", "1.2.3.4", "1.2.3.5"},
        {"0.0.0.0/0", "0.0.0.0/0", "255.1.2.3", "::"},
        {"2001:db8::/33", "2001:db8::/33", "2001:db8:7fff::1", "2001:db8:8000::"},
        {"::/0", "::/0", "ff::", "1.2.3.4"},
        {"::1/128", "::1", "::1", "::"},
        {"1.2.3.4/33", NULL, NULL, NULL},
        {"::/129", NULL, NULL, NULL},
        {"1.2.3.4/", NULL, NULL, NULL},
        {"1.2.3.4/+8", NULL, NULL, NULL},
        {"1.2.3.4/8/8", NULL, NULL, NULL},
        {"/8", NULL, NULL, NULL},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct ip_net net = {0};
        struct ip_addr a = {0};
        char text[IP_NET_TEXT_MAX];
        int r = ip_net_parse(rows[i].net, strlen(rows[i].net), &net, NULL);
        ok((r == 0) == (rows[i].want != NULL), "network \"%s\"", rows[i].net);
        if (r < 0 || !rows[i].want)
            continue;
        is_str(ip_net_format(&net, text), rows[i].want, "is written %s", rows[i].want);
        (void)ip_parse(rows[i].in, strlen(rows[i].in), &a);
        ok(ip_in_net(&a, &net), "%s is in it", rows[i].in);
        (void)ip_parse(rows[i].out, strlen(rows[i].out), &a);
        ok(!ip_in_net(&a, &net), "%s is not", rows[i].out);
    }
    struct ip_addr none = {0};
    struct ip_net everything = {0};
    ok(!ip_in_net(&none, &everything), "no address is in no network");
}

int main(void)
{
    addresses();
    networks();
    return done_testing();
}
