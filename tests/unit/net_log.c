// SPDX-License-Identifier: Apache-2.0
// What bryo-net writes: lines of the log, captures, lock files.
#include "internal/base/buf.h"
#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/base/loop.h"
#include "internal/job/netlock.h"
#include "internal/job/netopts.h"
#include "net/dns.h"
#include "net/flowlog.h"
#include "net/netlog.h"
#include "net/pcapng.h"
#include "net/policy.h"
#include "net/sink.h"
#include "tests/unit/tap.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>

// 2024-02-29T23:59:58.500Z, and twelve seconds of CLOCK_MONOTONIC.
static const struct flowlog_clock now = {12000000, 1709251198500000};

static struct flow one_flow(void)
{
    struct flow f = {.key = {.dst = ip_v4(198, 51, 100, 1), .dport = 443, .proto = NET_PROTO_TCP},
                     .start_us = 10000000,
                     .end_us = 11250000,
                     .bytes_out = 517,
                     .bytes_in = 4096,
                     .fast = true};
    (void)snprintf(f.name, sizeof(f.name), "example.org");
    return f;
}

static void lines(void)
{
    AUTO_BUF struct buf out = {0};
    struct flow f = one_flow();
    flowlog_flow(&f, &now, &out);
    is_str(buf_str(&out),
           "{\"time\":\"2024-02-29T23:59:56.500Z\",\"type\":\"connection\",\"protocol\":\"tcp\","
           "\"name\":\"example.org\",\"address\":\"198.51.100.1\",\"port\":443,\"verdict\":"
           "\"allowed\","
           "\"bytes_out\":517,\"bytes_in\":4096,\"duration\":1.250000,\"path\":\"fast\"}\n",
           "a connection");
    buf_clear(&out);
    f.verdict = FLOW_REFUSED;
    f.name[0] = '\0';
    f.end_us = 0;
    (void)snprintf(f.why, sizeof(f.why), "--deny \"x\"");
    flowlog_flow(&f, &now, &out);
    is_str(buf_str(&out),
           "{\"time\":\"2024-02-29T23:59:56.500Z\",\"type\":\"connection\",\"protocol\":\"tcp\","
           "\"address\":\"198.51.100.1\",\"port\":443,\"verdict\":\"refused\",\"rule\":\"--deny "
           "\\\"x\\\"\",\"bytes_out\":517,\"bytes_in\":4096,\"duration\":0.000000}\n",
           "a refused one");
    buf_clear(&out);
    const struct ip_addr addrs[] = {ip_v4(1, 2, 3, 4), {IP_V6, {0x20, 0x01, 0x0d, 0xb8, [15] = 1}}};
    const struct dns_record r = {.name = "a\\008\"b",
                                 .type = 28,
                                 .rcode = 3,
                                 .why = "",
                                 .addrs = addrs,
                                 .n_addrs = 2,
                                 .start_us = 11999999};
    flowlog_dns(&r, &now, &out);
    is_str(buf_str(&out),
           "{\"time\":\"2024-02-29T23:59:58.499Z\",\"type\":\"dns\",\"transport\":\"udp\","
           "\"name\":\"a\\\\008\\\"b\",\"query\":\"AAAA\",\"result\":\"NXDOMAIN\","
           "\"verdict\":\"allowed\",\"addresses\":[\"1.2.3.4\",\"2001:db8::1\"],"
           "\"duration\":0.000001}\n",
           "a question");
}

static void dates(void)
{
    static const struct {
        uint64_t seconds;
        const char *want;
    } rows[] = {
        {0, "1970-01-01T00:00:00"},          {951782400, "2000-02-29T00:00:00"},
        {951868800, "2000-03-01T00:00:00"},  {1735689599, "2024-12-31T23:59:59"},
        {1740787200, "2025-03-01T00:00:00"}, {4107542400, "2100-03-01T00:00:00"},
        {4107542399, "2100-02-28T23:59:59"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct flowlog_clock at = {0, rows[i].seconds * 1000000};
        AUTO_BUF struct buf out = {0};
        flowlog_dropped(5, &at, &out);
        ok(strncmp(buf_str(&out) + 9, rows[i].want, 19) == 0, "%s", rows[i].want);
    }
}

static void bound(void)
{
    struct flowlog_bound b;
    unsigned taken = 0;
    flowlog_bound_init(&b, 1000);
    for (unsigned i = 0; i < 3 * FLOWLOG_BURST; i++)
        taken += flowlog_bound_take(&b, 1000);
    is_int(taken, FLOWLOG_BURST, "a flood of lines has an end");
    is_int((intmax_t)b.dropped, 2 * FLOWLOG_BURST, "what is left out is counted");
    taken = 0;
    for (unsigned i = 0; i < 2 * FLOWLOG_SECOND; i++)
        taken += flowlog_bound_take(&b, 1001000);
    is_int(taken, FLOWLOG_SECOND, "after a second so many more may be written");
    taken = 0;
    for (unsigned i = 0; i < 2 * FLOWLOG_BURST; i++)
        taken += flowlog_bound_take(&b, UINT64_C(1000000000000));
    is_int(taken, FLOWLOG_BURST, "and never more than a burst at once");
}

static void capture(void)
{
    AUTO_BUF struct buf out = {0};
    uint32_t word;
    size_t blocks = 0;
    size_t at = 0;
    pcapng_head(&out, "tap0");
    pcapng_packet(&out, UINT64_C(0x1122334455667788), true, "frame", 5);
    pcapng_packet(&out, 1, false, "longer frame", 12);
    while (at + 12 <= out.len) {
        uint32_t len;
        memcpy(&len, out.data + at + 4, 4);
        if (len < 12 || len % 4 || at + len > out.len ||
            memcmp(&len, out.data + at + len - 4, 4) != 0)
            break;
        at += len;
        blocks++;
    }
    ok(blocks == 4 && at == out.len, "four blocks, each with its length at both ends");
    memcpy(&word, out.data, 4);
    ok(word == 0x0a0d0d0a, "the first is a section");
}

static void locks(void)
{
    struct netlock l = {0};
    struct net_rules rules = {0};
    struct err err = {0};
    AUTO_BUF struct buf out = {0};
    const struct ip_addr a = ip_v4(198, 51, 100, 1);
    const struct ip_addr b = {IP_V6, {0x20, 0x01, 0x0d, 0xb8, [15] = 1}};
    netlock_used(&l, "www.example.org", NULL, NET_PROTO_ANY, 0);
    netlock_used(&l, "www.example.org", &a, NET_PROTO_TCP, 443);
    netlock_used(&l, "www.example.org", &a, NET_PROTO_TCP, 443);
    netlock_used(&l, "_http._tcp.example.org", NULL, NET_PROTO_ANY, 0);
    netlock_used(&l, "", &b, NET_PROTO_UDP, 123);
    netlock_used(&l, "", &a, NET_PROTO_ICMP, 0);
    netlock_used(&l, "bad\\032name", &a, NET_PROTO_TCP, 1);
    netlock_used(&l, "bad\\032name", NULL, NET_PROTO_ANY, 0);
    netlock_used(&l, "1.2.3", &a, NET_PROTO_TCP, 2);
    netlock_used(&l, "www.example.orgy", NULL, NET_PROTO_ANY, 0);
    netlock_write(&l, &out);
    const char *body = strstr(buf_str(&out), "\n1");
    is_str(body ? body + 1 : buf_str(&out),
           "198.51.100.1/icmp\n198.51.100.1:1/tcp\n198.51.100.1:2/tcp\n[2001:db8::1]:123/udp\n"
           "_http._tcp.example.org:dns\nwww.example.org:443/tcp\nwww.example.orgy:dns\n",
           "each once, by name where there is one");
    is_int(netlock_read(out.data, out.len, &rules, NULL), 0, "the file is read");
    is_int((intmax_t)rules.n, 7, "with all of them");
    net_rules_done(&rules);
    static const char wrong[] = "# comment\n\n  a.example:443 # web\r\n a b\n";
    is_int(netlock_read(wrong, sizeof(wrong) - 1, &rules, &err), -EINVAL, "a wrong line is found");
    ok(strncmp(err.text, "line 4: ", 8) == 0 && rules.n == 1, "by its number");
    net_rules_done(&rules);
    for (unsigned i = 0; i < NET_RULES_MAX + 10; i++)
        netlock_used(&l, "", &a, NET_PROTO_TCP, (uint16_t)(1000 + i));
    ok(l.full && l.n == NET_RULES_MAX, "it has a bound");
    netlock_done(&l);
}

static int stop(void *ctx)
{
    loop_stop(ctx);
    return 0;
}

static void run_for(struct loop *loop, uint64_t us)
{
    (void)loop_at(loop, loop_now_us() + us, stop, loop);
    (void)loop_run(loop);
}

static void sinks(void)
{
    struct loop *loop = NULL;
    int p[2];
    char got[64];
    (void)loop_new(&loop);
    (void)!pipe2(p, O_CLOEXEC | O_NONBLOCK);
    struct sink *s = sink_new(loop, p[1]);
    ok(sink_add(s, "one", 3) && sink_add(s, "two", 3), "small pieces are taken");
    ok(read(p[0], got, sizeof(got)) < 0, "and gathered");
    run_for(loop, 3 * SINK_EACH_US);
    is_int(read(p[0], got, sizeof(got)), 6, "they come soon after");
    size_t taken = 0;
    static const char block[65536];
    while (taken < 1000 && sink_add(s, block, sizeof(block)))
        taken++;
    ok(taken * sizeof(block) <= SINK_WAIT_MAX + 65536 + sizeof(block),
       "a reader that does not read is not waited for without end: %zu blocks", taken);
    (void)close(p[0]);
    (void)signal(SIGPIPE, SIG_IGN);
    run_for(loop, 3 * SINK_EACH_US);
    is_int(sink_error(s), EPIPE, "a reader that is gone is an error");
    ok(!sink_add(s, "x", 1), "after which nothing is taken");
    sink_free(s);
    (void)close(p[1]);
    loop_free(loop);
}

static void enforced(void)
{
    struct loop *loop = NULL;
    struct net_opts o;
    AUTO_BUF struct buf notes = {0};
    AUTO_FD int lock = memfd_create("lock", MFD_CLOEXEC);
    (void)loop_new(&loop);
    net_opts_init(&o);
    (void)net_opt_deny(&o, "*:25", NULL);
    o.lock_from = o.rules.n;
    o.lock_enforced = true;
    (void)net_rules_parse("a.example:443/tcp,b.example:80/tcp,c.example:dns", true, &o.rules, NULL);
    const struct netlog_files none = {-1, -1, -1};
    struct netlog *l = netlog_new(loop, &o, &none);
    struct flow f = one_flow();
    netlog_verdict(l, &f, 1);
    const struct dns_record r = {.name = "c.example", .type = 1, .why = ""};
    netlog_dns(l, &r);
    netlog_finish(l, &notes);
    is_str(buf_str(&notes), "--net-lock: not used this time: b.example:80/tcp\n",
           "what a run did not use of its lock is told");
    netlog_free(l);
    net_opts_done(&o);
    net_opts_init(&o);
    const struct netlog_files files = {.log = -1, .lock = lock, .pcap = -1};
    l = netlog_new(loop, &o, &files);
    f = one_flow();
    f.host = f.key.dst;
    netlog_verdict(l, &f, POLICY_NO_RULE);
    f.key.dst = o.gateway4; // of --allow-host: not a place in the world
    netlog_verdict(l, &f, POLICY_NO_RULE);
    f.verdict = FLOW_REFUSED;
    netlog_verdict(l, &f, POLICY_NO_RULE);
    netlog_finish(l, &notes);
    char got[1024] = "";
    (void)!pread(lock, got, sizeof(got) - 1, 0);
    const char *body = strstr(got, "else.\n");
    is_str(body ? body + 6 : got, "example.org:443/tcp\n", "a lock is written");
    netlog_free(l);
    net_opts_done(&o);
    loop_free(loop);
}

int main(void)
{
    lines();
    dates();
    bound();
    capture();
    locks();
    sinks();
    enforced();
    return done_testing();
}
