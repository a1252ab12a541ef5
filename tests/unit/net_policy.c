// SPDX-License-Identifier: Apache-2.0
// Closed addresses, names that were learned, rules: what a job may connect to.
#include "internal/base/buf.h"
#include "net/closed.h"
#include "net/names.h"
#include "net/policy.h"
#include "tests/unit/tap.h"

#define SECOND UINT64_C(1000000)

static struct ip_addr ip(const char *text)
{
    struct ip_addr a = {0};
    (void)ip_parse(text, strlen(text), &a);
    return a;
}

static void closed(void)
{
    static const char *const shut[] = {
        "0.0.0.0",
        "0.1.2.3",
        "127.0.0.1",
        "127.255.255.255",
        "169.254.169.254",
        "169.254.0.1",
        "100.100.100.200",
        "192.0.0.192",
        "168.63.129.16",
        "224.0.0.1",
        "239.255.255.255",
        "255.255.255.255",
        "::",
        "::1",
        "fe80::1",
        "febf::1",
        "fd00:ec2::254",
        "fd20:ce::254",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:8.8.8.8",
        "::127.0.0.1",
        "::8.8.8.8",
        "::ffff:0:127.0.0.1",
        "64:ff9b::127.0.0.1",
        "64:ff9b::169.254.169.254",
        "64:ff9b:1::127.0.0.1",
        "2002:7f00:1::",
        "2002:a9fe:a9fe::1",
        "2001:0:1234::5601:5601", // Teredo of 169.254.169.254
    };
    static const char *const open[] = {
        "1.0.0.0",
        "126.255.255.255",
        "128.0.0.1",
        "169.253.255.255",
        "169.255.0.0",
        "100.100.100.201",
        "10.0.0.1",
        "192.168.1.1",
        "223.255.255.255",
        "240.0.0.1",
        "2001:db8::1",
        "fec0::1",
        "fd00:ec2::255",
        "fe00::1",
        "64:ff9b::8.8.8.8",
        "2002:808:808::",
        "2001:0:1234::f7f7:f7f7",
        "::1:0:0:0",
    };
    for (size_t i = 0; i < sizeof(shut) / sizeof(shut[0]); i++) {
        struct ip_addr a = ip(shut[i]);
        ok(a.family != IP_NONE && closed_why(&a), "%s is closed: %s", shut[i], closed_why(&a));
    }
    for (size_t i = 0; i < sizeof(open) / sizeof(open[0]); i++) {
        struct ip_addr a = ip(open[i]);
        ok(a.family != IP_NONE && !closed_why(&a), "%s is open", open[i]);
    }
    struct ip_addr none = {0};
    ok(closed_why(&none) != NULL, "no address is closed");
}

static void names(void)
{
    struct names *t = names_new();
    struct ip_addr a = ip("198.51.100.1");
    uint64_t now = 1000 * SECOND;
    ok(!names_asked(t, &a, now), "nothing is known at first");
    names_add(t, &a, "cdn.example", false, 10, now);
    ok(!names_asked(t, &a, now), "a name on the way was not asked for");
    names_add(t, &a, "www.example", true, 10, now);
    is_str(names_asked(t, &a, now), "www.example", "the one asked for is");
    names_add(t, &a, "other.example", true, 1000, now);
    is_str(names_asked(t, &a, now), "other.example", "the last one counts");
    is_int((intmax_t)names_count(t), 3, "three names");
    uint64_t later = now + 10 * SECOND + NAMES_GRACE_US;
    is_str(names_asked(t, &a, later), "other.example", "a longer TTL lives longer");
    ok(names_asked(t, &a, now + 1000 * SECOND + NAMES_GRACE_US - 1) != NULL, "up to its end");
    ok(!names_asked(t, &a, now + 1000 * SECOND + NAMES_GRACE_US), "and no longer");
    names_hold(t, &a);
    ok(names_asked(t, &a, now + 100000 * SECOND) != NULL, "while a flow lives it stays");
    names_release(t, &a, now + 100000 * SECOND);
    ok(names_asked(t, &a, now + 100000 * SECOND + NAMES_GRACE_US - 1) != NULL, "and the grace");
    ok(!names_asked(t, &a, now + 100000 * SECOND + NAMES_GRACE_US), "not longer");
    struct ip_addr b = ip("2001:db8::7");
    names_hold(t, &b);
    names_hold(t, &b);
    names_release(t, &b, now);
    names_release(t, &b, now);
    names_release(t, &b, now);
    ok(!names_asked(t, &b, now), "an address without names is held and let go");
    names_add(t, &b, "huge.example", true, UINT32_MAX, now);
    ok(!names_asked(t, &b, now + (NAMES_TTL_MAX + 1) * SECOND + NAMES_GRACE_US),
       "a TTL has a bound");
    names_free(t);
}

static void names_bound(void)
{
    struct names *t = names_new();
    struct ip_addr held = ip("203.0.113.9");
    names_add(t, &held, "held.example", true, 1, 0);
    names_hold(t, &held);
    for (unsigned i = 0; i < 3 * NAMES_MAX; i++) {
        struct ip_addr a = ip_v4(10, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i);
        names_add(t, &a, "flood.example", true, i % 1000, UINT64_C(100) * i);
    }
    ok(names_count(t) <= NAMES_MAX, "the table has a bound: %zu", names_count(t));
    is_str(names_asked(t, &held, 1), "held.example", "what a flow holds is kept");
    struct ip_addr same = ip("10.9.9.9");
    for (unsigned i = 0; i < 2 * NAMES_MAX; i++) {
        char name[32];
        (void)snprintf(name, sizeof(name), "n%u.example", i);
        names_add(t, &same, name, true, 1000000, 0);
        if (i == 0)
            names_hold(t, &same);
        i += i > 2000 ? 4000 : 0; // each one walks those before it
    }
    ok(names_count(t) <= NAMES_MAX, "also for one address: %zu", names_count(t));
    names_free(t);
}

// --- verdicts
// -------------------------------------------------------------------------------------

struct world {
    struct net_opts o;
    struct policy p;
};

static bool is_203(void *ctx, const struct ip_addr *a)
{
    (void)ctx;
    struct ip_addr own = ip("203.0.113.1");
    return ip_equal(a, &own);
}

static void world_init(struct world *w)
{
    net_opts_init(&w->o);
    w->o.mode = NETWORK_SLIRP;
    w->p =
        (struct policy){.opts = &w->o, .names = names_new(), .dns_port = 5353, .is_local = is_203};
}

static void world_done(struct world *w)
{
    names_free(w->p.names);
    net_opts_done(&w->o);
}

static struct flow flow_to(const char *addr, enum net_proto proto, uint16_t port)
{
    return (struct flow){
        .key = {.src = ip("10.0.2.100"), .dst = ip(addr), .dport = port, .proto = proto}};
}

static const char *decide(const struct world *w, const char *addr, enum net_proto proto,
                          uint16_t port)
{
    static const char *const words[] = {"allowed", "refused", "closed"};
    struct flow f = flow_to(addr, proto, port);
    return words[policy_decide(&w->p, &f, SECOND, NULL)];
}

#define TCP(addr, port) decide(&w, addr, NET_PROTO_TCP, port)
#define UDP(addr, port) decide(&w, addr, NET_PROTO_UDP, port)

static void defaults(void)
{
    struct world w;
    world_init(&w);
    is_str(TCP("198.51.100.1", 443), "allowed", "the world is open");
    is_str(TCP("10.0.0.1", 22), "allowed", "so are private networks");
    is_str(TCP("127.0.0.1", 22), "closed", "loopback is not");
    is_str(TCP("203.0.113.1", 22), "closed", "nor an address of the machine");
    is_str(TCP("64:ff9b::203.0.113.1", 22), "closed", "nor by a translator");
    is_str(TCP("2002:cb00:7101::1", 22), "closed", "nor by 6to4");
    is_str(TCP("10.0.2.2", 22), "closed", "the gateway stands for the machine");
    is_str(TCP("10.0.2.2", 53), "closed", "whatever the port");
    is_str(TCP("fd00::2", 22), "closed", "in IPv6 too");
    is_str(UDP("10.0.2.3", 53), "allowed", "the resolver answers");
    is_str(TCP("10.0.2.3", 53), "allowed", "by TCP too");
    is_str(UDP("fd00::3", 53), "allowed", "and by IPv6");
    is_str(UDP("10.0.2.3", 54), "closed", "and has nothing else");
    is_str(UDP("10.0.2.4", 53), "closed", "nobody else is there");
    is_str(UDP("fd00::4", 53), "closed", "nor in IPv6");
    is_str(UDP("10.0.2.255", 53), "closed", "no broadcast");
    is_str(decide(&w, "10.0.2.2", NET_PROTO_ICMP, 0), "allowed", "the gateway can be pinged");
    struct flow f = flow_to("10.0.2.3", NET_PROTO_UDP, 53);
    (void)policy_decide(&w.p, &f, SECOND, NULL);
    is_int(f.host.family, IP_NONE, "what is answered here leads nowhere");
    f = flow_to("10.0.2.3", NET_PROTO_TCP, 53);
    (void)policy_decide(&w.p, &f, SECOND, NULL);
    ok(f.host_port == 5353 && f.host.bytes[0] == 127, "by TCP to the listener");
    world_done(&w);
}

static void host_ports(void)
{
    struct world w;
    char a[IP_TEXT_MAX];
    world_init(&w);
    (void)net_opt_allow_host(&w.o, "8080,9000-9010", NULL);
    is_str(TCP("10.0.2.2", 8080), "allowed", "--allow-host opens the port");
    is_str(UDP("10.0.2.2", 9010), "allowed", "and the range");
    is_str(TCP("10.0.2.2", 8081), "closed", "and no other");
    is_str(TCP("127.0.0.1", 8080), "closed", "and not at 127.0.0.1");
    struct flow f = flow_to("fd00::2", NET_PROTO_TCP, 8080);
    (void)policy_decide(&w.p, &f, SECOND, NULL);
    is_str(ip_format(&f.host, a), "::1", "it leads to loopback, by IPv6");
    f = flow_to("10.0.2.2", NET_PROTO_TCP, 8080);
    (void)policy_decide(&w.p, &f, SECOND, NULL);
    is_str(ip_format(&f.host, a), "127.0.0.1", "and by IPv4");
    (void)net_opt_allow(&w.o, "example.org", NULL);
    is_str(TCP("10.0.2.2", 8080), "allowed", "--allow does not close what --allow-host opened");
    world_done(&w);
}

static void rules(void)
{
    struct world w;
    world_init(&w);
    (void)net_opt_deny(&w.o, "198.51.100.9", NULL);
    (void)net_opt_allow(&w.o, "198.51.100.0/24:80-443/tcp,*.example.org:443,[2001:db8::/32]", NULL);
    (void)net_opt_deny(&w.o, "*", NULL);
    (void)net_opt_allow(&w.o, "1.2.3.4,127.0.0.1,169.254.169.254,203.0.113.1", NULL);
    is_str(TCP("198.51.100.1", 80), "allowed", "a network and a range of ports");
    is_str(TCP("198.51.100.1", 79), "refused", "another port");
    is_str(UDP("198.51.100.1", 80), "refused", "another protocol");
    is_str(TCP("198.51.100.9", 80), "refused", "an earlier --deny wins");
    is_str(UDP("2001:db8::1", 9), "allowed", "an IPv6 network");
    is_str(TCP("1.2.3.4", 80), "refused", "an earlier --deny * as well");
    is_str(TCP("127.0.0.1", 80), "closed", "no rule opens loopback");
    is_str(TCP("169.254.169.254", 80), "closed", "nor metadata");
    is_str(TCP("203.0.113.1", 80), "closed", "nor the machine's addresses");
    is_str(TCP("192.0.2.7", 443), "refused", "an address without its name");
    struct ip_addr a = ip("192.0.2.7");
    names_add(w.p.names, &a, "www.example.org", true, 60, 0);
    is_str(TCP("192.0.2.7", 443), "allowed", "and with it");
    is_str(TCP("192.0.2.7", 80), "refused", "at its port only");
    struct flow f = flow_to("192.0.2.7", NET_PROTO_TCP, 443);
    size_t rule = 0;
    (void)policy_decide(&w.p, &f, SECOND, &rule);
    is_str(f.name, "www.example.org", "the flow knows its name");
    is_str(f.why, "--allow *.example.org:443", "and its rule");
    is_int((intmax_t)rule, 2, "by number");
    (void)policy_decide(&w.p, &f, 400 * SECOND, NULL);
    is_int(f.verdict, FLOW_REFUSED, "a name that ended counts no longer");
    world_done(&w);
}

static void deny_only(void)
{
    struct world w;
    world_init(&w);
    (void)net_opt_deny(&w.o, "10.0.0.0/8,*:25,*.evil.example", NULL);
    is_str(TCP("198.51.100.1", 80), "allowed", "--deny alone leaves the rest open");
    is_str(TCP("198.51.100.1", 25), "refused", "but what it names");
    is_str(TCP("10.1.1.1", 80), "refused", "a network");
    is_str(TCP("64:ff9b::10.1.1.1", 80), "refused", "also by a translator");
    struct ip_addr a = ip("198.51.100.3");
    names_add(w.p.names, &a, "harmless.example", true, 60, 0);
    is_str(TCP("198.51.100.3", 80), "allowed", "a name that is not denied");
    names_add(w.p.names, &a, "x.evil.example", false, 60, 0);
    is_str(TCP("198.51.100.3", 80), "refused", "a name that is, behind a CNAME");
    is_str(UDP("198.51.100.53", 53), "refused", "names are asked of the job's own resolver");
    is_str(TCP("198.51.100.53", 853), "refused", "also by TLS");
    world_done(&w);
    world_init(&w);
    (void)net_opt_deny(&w.o, "10.0.0.0/8", NULL);
    is_str(UDP("198.51.100.53", 53), "allowed",
           "where no rule is about names, any resolver will do");
    world_done(&w);
}

static void rebinding(void)
{
    struct world w;
    world_init(&w);
    (void)net_opt_allow(&w.o, "*.example.org", NULL);
    static const char *const inner[] = {"127.0.0.1", "169.254.169.254",  "203.0.113.1",  "10.0.2.2",
                                        "::1",       "::ffff:127.0.0.1", "fd00:ec2::254"};
    for (size_t i = 0; i < sizeof(inner) / sizeof(inner[0]); i++) {
        struct ip_addr a = ip(inner[i]);
        names_add(w.p.names, &a, "rebind.example.org", true, 60, 0);
        is_str(TCP(inner[i], 80), "closed", "an allowed name that answers %s opens nothing",
               inner[i]);
    }
    world_done(&w);
}

static void questions(void)
{
    struct world w;
    char why[128];
    world_init(&w);
    ok(policy_name(&w.p, "any.example", 0, why) && !why[0], "without rules all names may be asked");
    (void)net_opt_deny(&w.o, "*.evil.example,smtp.example:25", NULL);
    ok(!policy_name(&w.p, "a.evil.example", 0, why), "--deny takes a name");
    is_str(why, "--deny *.evil.example", "and says so");
    ok(policy_name(&w.p, "evil.example", 0, why), "not the one above");
    ok(policy_name(&w.p, "smtp.example", 0, why), "a denied port does not hide a name");
    (void)net_opt_allow(&w.o, "example.org:443,198.51.100.0/24,*.b.example:dns", NULL);
    ok(policy_name(&w.p, "example.org", 0, why), "--allow opens a name");
    ok(policy_name(&w.p, "x.b.example", 0, why), "\"dns\" does");
    ok(!policy_name(&w.p, "www.example.org", 0, why), "and no other");
    is_str(why, "no --allow names it", "and says so");
    ok(policy_name(&w.p, "1.100.51.198.in-addr.arpa", 0, why), "the reverse of an allowed address");
    ok(!policy_name(&w.p, "1.2.0.192.in-addr.arpa", 0, why), "not of others");
    ok(!policy_name(&w.p, "secret.data.100.51.198.in-addr.arpa", 0, why),
       "nor what only looks like one");
    struct ip_addr a = ip("192.0.2.1");
    names_add(w.p.names, &a, "example.org", true, 60, 0);
    ok(policy_name(&w.p, "1.2.0.192.in-addr.arpa", 0, why), "of one that a name led to, yes");
    world_done(&w);
    world_init(&w);
    (void)net_opt_allow(&w.o, "*:443", NULL);
    ok(policy_name(&w.p, "any.example", 0, why), "--allow * opens all names");
    world_done(&w);
}

static void told(void)
{
    AUTO_BUF struct buf out = {0};
    struct flow f = flow_to("2001:db8::1", NET_PROTO_TCP, 443);
    f.verdict = FLOW_REFUSED;
    (void)snprintf(f.why, sizeof(f.why), "--deny *:443");
    policy_tell(&f, &out);
    is_str(buf_str(&out), "tcp [2001:db8::1]:443 refused: --deny *:443", "without a name");
    buf_clear(&out);
    f = flow_to("198.51.100.1", NET_PROTO_ICMP, 0);
    f.verdict = FLOW_CLOSED;
    (void)snprintf(f.name, sizeof(f.name), "example.org");
    policy_tell(&f, &out);
    is_str(buf_str(&out), "icmp example.org (198.51.100.1) refused", "with one");
}

int main(void)
{
    closed();
    names();
    names_bound();
    defaults();
    host_ports();
    rules();
    deny_only();
    rebinding();
    questions();
    told();
    return done_testing();
}
