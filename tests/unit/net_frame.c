// SPDX-License-Identifier: Apache-2.0
// What passes the frame checks, what does not, what is changed on the way; fragments; our own
// frames.
#include "net/frame.h"
#include "net/frame_build.h"
#include "net/frame_peek.h"
#include "net/reass.h"
#include "tests/unit/tap.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

static struct frame_rules rules(void)
{
    static const uint8_t job6[16] = {0xfd, [14] = 1};
    return (struct frame_rules){.job4 = ip_v4(10, 0, 2, 100), .job6 = ip_from_v6(job6)};
}

static struct ip_addr somewhere6(void)
{
    static const uint8_t a[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 7};
    return ip_from_v6(a);
}

// A datagram of the job's: what frame_build_udp() makes is as good in the other direction.
static size_t udp4(uint8_t *f, size_t n)
{
    uint8_t *payload = calloc(1, n + 1);
    struct ip_addr job = rules().job4;
    struct ip_addr to = ip_v4(198, 51, 100, 1);
    size_t len = frame_build_udp(f, &job, 4000, &to, 53, payload, n);
    free(payload);
    return len;
}

static size_t udp6(uint8_t *f, size_t n)
{
    uint8_t *payload = calloc(1, n + 1);
    struct ip_addr job = rules().job6;
    struct ip_addr to = somewhere6();
    size_t len = frame_build_udp(f, &job, 4000, &to, 53, payload, n);
    free(payload);
    return len;
}

static void sum4(uint8_t *f)
{
    f[24] = f[25] = 0;
    uint16_t sum = frame_sum_end(frame_sum(f + 14, 20, 0));
    memcpy(f + 24, &sum, 2);
}

static void tcp_sum(uint8_t *f, size_t len)
{
    uint8_t *tcp = f + 34;
    const uint8_t tail[4] = {0, IPPROTO_TCP, (uint8_t)((len - 34) >> 8), (uint8_t)(len - 34)};
    tcp[16] = tcp[17] = 0;
    uint32_t sum = frame_sum(tail, 4, frame_sum(f + 26, 8, 0));
    uint16_t end = frame_sum_end(frame_sum(tcp, len - 34, sum));
    memcpy(tcp + 16, &end, 2);
}

static size_t tcp4(uint8_t *f, uint8_t flags)
{
    size_t len = 34 + 24;
    (void)udp4(f, 24 - 8);
    f[23] = IPPROTO_TCP;
    sum4(f);
    memset(f + 34, 0, 24);
    f[35] = 80;
    f[37] = 80;
    f[46] = 6 << 4;
    f[47] = flags;
    static const uint8_t mss[4] = {2, 4, 5, 0xb4};
    memcpy(f + 54, mss, 4);
    tcp_sum(f, len);
    return len;
}

static const char *why(uint8_t *f, size_t len)
{
    struct frame p;
    struct frame_rules r = rules();
    frame_parse(f, len, &r, &p);
    return p.class == FRAME_DROP ? p.reason : "passes";
}

static void good(void)
{
    uint8_t f[2048];
    struct frame p;
    struct frame_rules r = rules();
    size_t n = udp4(f, 100);
    frame_parse(f, n + 20, &r, &p); // with padding, as short frames have it
    ok(p.class == FRAME_UDP && p.len == n && frame_payload_len(&p) == 100, "UDP over IPv4");
    ok(p.sport == 4000 && p.dport == 53 && p.dst.bytes[0] == 198, "its ends");
    frame_parse(f, udp6(f, 33), &r, &p);
    ok(p.class == FRAME_UDP && frame_payload_len(&p) == 33, "UDP over IPv6, an odd length");
    frame_parse(f, tcp4(f, FRAME_SYN), &r, &p);
    ok(p.class == FRAME_TCP && p.tcp_flags == FRAME_SYN && frame_payload_len(&p) == 0, "a SYN");
}

static void urgent(void)
{
    uint8_t f[2048];
    struct frame p;
    struct frame_rules r = rules();
    size_t n = tcp4(f, FRAME_ACK | FRAME_URG | FRAME_PSH);
    f[52] = 0x12;
    f[53] = 0x34;
    tcp_sum(f, n);
    frame_parse(f, n, &r, &p);
    ok(p.class == FRAME_TCP && p.tcp_flags == (FRAME_ACK | FRAME_PSH),
       "the urgent flag is cleared");
    ok(f[52] == 0 && f[53] == 0, "and the pointer");
    is_str(why(f, n), "passes", "the checksum was adjusted");
}

struct spoiled {
    const char *want;
    size_t at;
    uint8_t value;
    bool sum; // the IP header's sum is made right again
};

static void bad(void)
{
    static const struct spoiled rows[] = {
        {"IPv4 options", 14, 0x46, true},
        {"IPv4 header", 14, 0x65, true},
        {"IPv4 length", 16, 0xff, true},
        {"IPv4 length", 17, 19, true}, // 16 is 0: shorter than a header
        {"IPv4 flags", 20, 0x80, true},
        {"IPv4 checksum", 24, 0x77, false},
        {"protocol other than TCP, UDP and ICMP", 23, 47, true},
        {"source address that is not the job's", 29, 101, true},
        {"multicast or broadcast", 30, 224, true},
        {"multicast or broadcast", 30, 255, true},
        {"UDP length", 39, 200, false},
        {"UDP length", 39, 7, false},
        {"UDP checksum", 40, 0x55, false},
        {"neither IP nor ARP", 12, 0x88, false}, // NC-SI is 0x88f8
        {"neither IP nor ARP", 13, 0xf8, false},
    };
    uint8_t f[2048];
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        size_t n = udp4(f, 20);
        f[rows[i].at] = rows[i].value;
        if (rows[i].sum)
            sum4(f);
        is_str(why(f, n), rows[i].want, "byte %zu becomes %d", rows[i].at, rows[i].value);
    }
    size_t n = udp4(f, 20);
    for (size_t cut = 0; cut < n; cut++)
        if (strcmp(why(f, cut), "passes") == 0)
            ok(0, "cut off at %zu, it passes", cut);
    n = udp6(f, 20);
    f[20] = 0; // hop-by-hop options
    is_str(why(f, n), "protocol other than TCP, UDP and ICMP", "IPv6 extension headers");
    n = udp6(f, 20);
    f[37]++;
    ok(strcmp(why(f, n), "passes") != 0, "another source over IPv6");
    n = udp6(f, 20);
    f[60] = f[61] = 0;
    is_str(why(f, n), "UDP checksum", "no checksum over IPv6");
}

static void bad_tcp(void)
{
    static const uint8_t flags[] = {0, FRAME_SYN | FRAME_FIN, FRAME_SYN | FRAME_RST,
                                    FRAME_RST | FRAME_FIN, FRAME_SYN | FRAME_FIN | FRAME_RST};
    uint8_t f[2048];
    for (size_t i = 0; i < sizeof(flags); i++)
        is_str(why(f, tcp4(f, flags[i])), "TCP flags that make no sense", "flags %x", flags[i]);
    for (int option = 0; option < 3; option++) {
        static const uint8_t lengths[] = {0, 1, 5};
        size_t n = tcp4(f, FRAME_SYN);
        f[55] = lengths[option];
        tcp_sum(f, n);
        is_str(why(f, n), "TCP options", "an option of length %d", lengths[option]);
    }
    size_t n = tcp4(f, FRAME_SYN);
    f[46] = 15 << 4;
    tcp_sum(f, n);
    is_str(why(f, n), "TCP header of a wrong length", "a header longer than the segment");
    n = tcp4(f, FRAME_SYN);
    f[37] = 0;
    tcp_sum(f, n);
    is_str(why(f, n), "TCP port 0", "port 0");
}

// --- fragments
// ---------------------------------------------------------------------------------------

// Fragment number i of pieces of size bytes of the datagram in whole (IPv4).
static size_t cut4(const uint8_t *whole, size_t len, size_t size, size_t i, uint8_t *out)
{
    size_t off = i * size;
    size_t left = len - 34 - off;
    size_t n = left < size ? left : size;
    memcpy(out, whole, 34);
    memcpy(out + 34, whole + 34 + off, n);
    out[16] = (uint8_t)((n + 20) >> 8);
    out[17] = (uint8_t)(n + 20);
    out[20] = (uint8_t)(off / 8 >> 8 | (left > size ? 0x20 : 0));
    out[21] = (uint8_t)(off / 8);
    sum4(out);
    return 34 + n;
}

static size_t add(struct reass *r, uint8_t *f, size_t n, uint64_t now, uint8_t **ret)
{
    struct frame p;
    struct frame_rules k = rules();
    frame_parse(f, n, &k, &p);
    return p.class == FRAME_FRAGMENT ? reass_add(r, &p, now, ret) : 0;
}

static void fragments(void)
{
    static uint8_t whole[FRAME_MAX];
    static uint8_t f[FRAME_MAX];
    uint8_t *made = NULL;
    struct reass *r = reass_new();
    size_t len = udp4(whole, 60000);
    size_t got = 0;
    size_t count = (len - 34 + 1479) / 1480;
    for (size_t i = count; i-- > 0;) // backwards
        got = add(r, f, cut4(whole, len, 1480, i, f), 1, &made);
    ok(got == len && made && memcmp(made, whole, len) == 0,
       "60,000 bytes in %zu pieces, last first", count);
    is_str(why(made, got), "passes", "and the whole passes");

    (void)add(r, f, cut4(whole, len, 1480, 0, f), 1, &made);
    (void)add(r, f, cut4(whole, len, 1480, 0, f), 1, &made); // twice: an overlap
    for (size_t i = 1; i < count; i++)
        got = add(r, f, cut4(whole, len, 1480, i, f), 1, &made);
    is_int(got, 0, "one that overlaps gives up the packet");

    for (size_t i = 0; i + 1 < count; i++)
        (void)add(r, f, cut4(whole, len, 1480, i, f), 10000000, &made);
    got = add(r, f, cut4(whole, len, 1480, count - 1, f), 10000000 + REASS_PATIENCE_US + 1, &made);
    is_int(got, 0, "what comes too late is no part of it");

    for (unsigned id = 0; id < 5000; id++) {
        size_t n = cut4(whole, len, 1480, id % 7, f);
        f[18] = (uint8_t)(id >> 8);
        f[19] = (uint8_t)id;
        sum4(f);
        (void)add(r, f, n, 30000000, &made);
    }
    for (size_t i = 0; i < count; i++)
        got = add(r, f, cut4(whole, len, 1480, i, f), 30000000, &made);
    ok(got == len, "five thousand that never end do not stand in the way");
    reass_free(r);
}

static void fragment_bounds(void)
{
    uint8_t f[2048];
    size_t n = udp4(f, 20);
    f[20] = 0x20; // more to come, and 28 bytes are no multiple of 8
    sum4(f);
    is_str(why(f, n), "malformed fragment", "a length that cannot be continued");
    n = udp4(f, 24);
    f[20] = 0x1f;
    f[21] = 0xff; // behind 65,528
    sum4(f);
    is_str(why(f, n), "malformed fragment", "beyond the largest packet");
}

// --- our own
// -----------------------------------------------------------------------------------------

static void answers(void)
{
    uint8_t f[2048];
    uint8_t out[2048];
    struct frame p;
    struct frame_peek peek;
    struct frame_rules r = rules();
    frame_parse(f, tcp4(f, FRAME_SYN), &r, &p);
    size_t n = frame_build_rst(out, &p);
    ok(frame_peek(out, n, &peek) && peek.is_flow && peek.tcp_flags == (FRAME_RST | FRAME_ACK),
       "RST for a SYN");
    ok(ip_equal(&peek.key.src, &p.src) && peek.key.sport == p.sport && peek.key.dport == p.dport,
       "comes from where the SYN went");
    frame_parse(f, udp4(f, 40), &r, &p);
    n = frame_build_unreach(out, &p, FRAME_UNREACH_PROHIBITED);
    ok(n == 14 + 20 + 8 + 68 && out[34] == 3 && out[35] == 13, "administratively prohibited");
    is_int(frame_sum_end(frame_sum(out + 34, n - 34, 0)), 0, "its checksum");
    static uint8_t big[FRAME_MAX];
    static uint8_t payload[65536];
    is_int(frame_build_udp(big, &p.dst, 1, &p.src, 2, payload, 65508), 0, "no datagram of 65,508");
    is_int(frame_build_udp(big, &p.dst, 1, &p.src, 2, payload, 65507), 14 + 65535, "one of 65,507");

    n = frame_build_job4(f, &r.job4);
    frame_parse(f, n, &r, &p);
    ok(p.class == FRAME_ARP, "ARP passes");
    is_int(frame_build_neighbour(out, &p, &r), 0, "a reply is not answered");
    f[21] = 1;
    f[41] = 55; // who has 10.0.2.55?
    frame_parse(f, n, &r, &p);
    is_int(frame_build_neighbour(out, &p, &r), 42, "a question is");
    ok(memcmp(out + 22, frame_our_mac, 6) == 0 && out[31] == 55, "with our address");
    f[31] = 9;
    is_str(why(f, n), "ARP for an address that is not the job's", "from another sender");
}

static void readdressed(void)
{
    uint8_t f[2048];
    struct frame p;
    struct frame_rules r = rules();
    size_t n = tcp4(f, FRAME_SYN);
    struct ip_addr to = ip_v4(10, 0, 2, 2);
    frame_readdress(f, n, true, &to, 4321);
    frame_parse(f, n, &r, &p);
    ok(p.class == FRAME_TCP && p.dport == 4321 && ip_equal(&p.dst, &to),
       "another destination, and the checksums are right");
}

int main(void)
{
    good();
    urgent();
    bad();
    bad_tcp();
    fragments();
    fragment_bounds();
    answers();
    readdressed();
    return done_testing();
}
