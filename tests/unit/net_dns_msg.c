// SPDX-License-Identifier: Apache-2.0
// DNS messages: names and their pointers, questions, answers.
#include "net/dns_msg.h"
#include "tests/unit/tap.h"

#include <errno.h>

// A message under construction.
struct msg {
    uint8_t bytes[2048];
    size_t n;
};

static void put(struct msg *m, const void *bytes, size_t n)
{
    memcpy(m->bytes + m->n, bytes, n);
    m->n += n;
}

static void put16(struct msg *m, unsigned v)
{
    const uint8_t b[2] = {(uint8_t)(v >> 8), (uint8_t)v};
    put(m, b, 2);
}

static void put_name(struct msg *m, const char *name)
{
    uint8_t wire[DNS_NAME_WIRE_MAX];
    put(m, wire, dns_name_write(name, wire));
}

static void put_header(struct msg *m, unsigned flags, unsigned questions, unsigned answers,
                       unsigned additional)
{
    put16(m, 0x1234);
    put16(m, flags);
    put16(m, questions);
    put16(m, answers);
    put16(m, 0);
    put16(m, additional);
}

static struct msg question(const char *name, unsigned type)
{
    struct msg m = {.n = 0};
    put_header(&m, 0x0100, 1, 0, 0);
    put_name(&m, name);
    put16(&m, type);
    put16(&m, DNS_CLASS_IN);
    return m;
}

// Behind its name.
static void put_record(struct msg *m, unsigned type, unsigned ttl, const void *data, size_t n)
{
    put16(m, type);
    put16(m, DNS_CLASS_IN);
    put16(m, 0);
    put16(m, ttl);
    put16(m, (unsigned)n);
    put(m, data, n);
}

static void names(void)
{
    static const struct {
        const char *what;
        const char *bytes;
        size_t n;
        size_t at;
        const char *want; // NULL: refused
        size_t end;
    } rows[] = {
        {"a name", "\3WWW\7example\0", 13, 0, "www.example", 13},
        {"the root", "\0", 1, 0, ".", 1},
        {"a pointer backwards", "\1a\0\1b\300\0", 7, 3, "b.a", 7},
        {"a pointer alone", "\1a\0\300\0", 5, 3, "a", 5},
        {"two pointers", "\1a\0\1b\300\0\1c\300\3", 11, 7, "c.b.a", 11},
        {"bytes that no host name has", "\4a.\\\1\0", 6, 0, "a\\046\\092\\001", 6},
        {"underscores", "\5_http\0", 7, 0, "_http", 7},
        {"a pointer to itself", "\300\0", 2, 0, NULL, 0},
        {"two that point at each other", "\300\2\300\0", 4, 2, NULL, 0},
        {"a pointer forwards", "\300\2\1a\0", 5, 0, NULL, 0},
        {"a loop through a label", "\1a\300\0", 4, 0, NULL, 0},
        {"a label beyond the end", "\5abc", 4, 0, NULL, 0},
        {"no end", "\1a", 2, 0, NULL, 0},
        {"half a pointer", "\300", 1, 0, NULL, 0},
        {"a label of the wrong kind", "\100a\0", 3, 0, NULL, 0},
        {"nothing", "", 0, 0, NULL, 0},
        {"behind the end", "\0", 1, 1, NULL, 0},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[DNS_NAME_TEXT_MAX] = "";
        size_t at = rows[i].at;
        int r = dns_name_read((const uint8_t *)rows[i].bytes, rows[i].n, &at, text);
        if (rows[i].want)
            ok(r == 0 && strcmp(text, rows[i].want) == 0 && at == rows[i].end, "%s: %s",
               rows[i].what, text);
        else
            ok(r == -EBADMSG, "%s is refused", rows[i].what);
    }
}

static void long_names(void)
{
    uint8_t wire[400];
    char text[DNS_NAME_TEXT_MAX];
    size_t n = 0;
    size_t at = 0;
    for (int i = 0; i < 4; i++) {
        size_t len = i == 3 ? 61 : 63;
        wire[n++] = (uint8_t)len;
        memset(wire + n, '*', len);
        n += len;
    }
    wire[n++] = 0;
    ok(n == 255 && dns_name_read(wire, n, &at, text) == 0, "255 bytes, each of them four in text");
    is_int((intmax_t)strlen(text), 250 * 4 + 3, "of that length");
    wire[n - 1] = 1;
    wire[n++] = 'a';
    wire[n++] = 0;
    at = 0;
    ok(dns_name_read(wire, n, &at, text) < 0, "257 bytes are too many");
}

static void reverse(void)
{
    static const struct {
        const char *name;
        const char *want;
    } rows[] = {
        {"4.3.2.1.in-addr.arpa", "1.2.3.4"},
        {"1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa", "2001:db8::1"},
        {"3.2.1.in-addr.arpa", NULL},
        {"5.4.3.2.1.in-addr.arpa", NULL},
        {"x.4.3.2.1.in-addr.arpa", NULL},
        {"04.3.2.1.in-addr.arpa", "1.2.3.4"},
        {"256.3.2.1.in-addr.arpa", NULL},
        {"in-addr.arpa", NULL},
        {"0.0.ip6.arpa", NULL},
        {"4.3.2.1.in-addr.arpa.example", NULL},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct ip_addr a = {0};
        char text[IP_TEXT_MAX];
        bool r = dns_name_reverse(rows[i].name, &a);
        ok(r == (rows[i].want != NULL) && (!r || strcmp(ip_format(&a, text), rows[i].want) == 0),
           "reverse of %s", rows[i].name);
    }
}

static void questions(void)
{
    struct dns_question q;
    uint8_t out[DNS_QUERY_MAX];
    struct msg m = question("WwW.example.org", DNS_TYPE_A);
    ok(dns_question_read(m.bytes, m.n, &q) == 0 && q.id == 0x1234 && q.recursion && !q.edns &&
           q.udp_size == 512 && q.type == DNS_TYPE_A,
       "an ordinary question");
    is_str(q.name, "www.example.org", "its name in lower case");
    size_t n = dns_build_query(&q, 0xabcd, out);
    ok(n == m.n && memcmp(out + 2, m.bytes + 2, n - 2) == 0 && out[0] == 0xab,
       "asked anew it is the same but for its id, its case kept");
    struct msg full = question("a.example", DNS_TYPE_A);
    full.bytes[11] = 1;
    put(&full, "\0\0\x29\x10\0\0\0\x80\0\0\4\0\xa\0\0", 15); // 4096 bytes, DO, an option
    ok(dns_question_read(full.bytes, full.n, &q) == 0 && q.edns && q.dnssec_ok &&
           q.udp_size == DNS_UDP_EDNS,
       "EDNS: no more than 1232 bytes");
    n = dns_build_query(&q, 1, out);
    ok(n == full.n - 4 && out[n - 1] == 0 && out[n - 2] == 0,
       "options of the job are not passed on");
    m.bytes[2] |= 0x80;
    is_int(dns_question_read(m.bytes, m.n, &q), -EBADMSG, "an answer is no question");
    is_int(dns_question_read(m.bytes, 11, &q), -EBADMSG, "nor are eleven bytes");
    m.bytes[2] = 0x29;
    is_int(dns_question_read(m.bytes, m.n, &q), -EOPNOTSUPP, "an update is not for us");
    static const struct {
        size_t at;
        uint8_t value;
        const char *what;
    } rows[] = {{5, 0, "no question"},
                {5, 2, "two questions"},
                {7, 1, "an answer in it"},
                {9, 1, "an authority in it"},
                {11, 2, "two additional records"},
                {11, 1, "an OPT that is not there"}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        m = question("a.example", DNS_TYPE_A);
        m.bytes[rows[i].at] = rows[i].value;
        is_int(dns_question_read(m.bytes, m.n, &q), -EPROTO, "%s", rows[i].what);
    }
    m = (struct msg){.n = 0};
    put_header(&m, 0x0100, 1, 0, 0);
    put(&m, "\1a\300\6\0\1\0\1", 8);
    is_int(dns_question_read(m.bytes, m.n, &q), -EPROTO, "a name that goes on in the header");
    m = question("a.example", DNS_TYPE_A);
    is_int(dns_question_read(m.bytes, m.n - 1, &q), -EPROTO, "one that is cut");
    uint8_t reply[DNS_UDP_EDNS];
    is_int((intmax_t)dns_build_reply(&q, DNS_FORMERR, false, NULL, 0, reply), 12,
           "what was not understood is answered without it");
}

static void own_replies(void)
{
    struct dns_question q;
    uint8_t out[DNS_UDP_EDNS];
    const struct ip_addr addrs[] = {
        ip_v4(10, 1, 2, 3), {IP_V6, {0xfd, [15] = 1}}, ip_v4(10, 1, 2, 4)};
    struct msg m = question("db", DNS_TYPE_A);
    (void)dns_question_read(m.bytes, m.n, &q);
    size_t n = dns_build_reply(&q, DNS_NOERROR, false, addrs, 3, out);
    ok(dns_reply_fits(&q, 0x1234, out, n) && out[7] == 2 && n == m.n + 32,
       "two addresses of the family asked for");
    q.type = DNS_TYPE_AAAA;
    n = dns_build_reply(&q, DNS_NOERROR, false, addrs, 3, out);
    ok(out[7] == 1 && n == m.n + 28, "one of the other");
    q.edns = q.prohibited = true;
    n = dns_build_reply(&q, DNS_NXDOMAIN, false, NULL, 0, out);
    ok(n == m.n + 17 && memcmp(out + n - 8, "\0\6\0\17\0\2\0\22", 8) == 0,
       "a name that is forbidden says so in EDNS");
    q.edns = q.prohibited = false;
    n = dns_build_reply(&q, DNS_REFUSED, true, NULL, 0, out);
    ok(n == m.n && dns_reply_rcode(out) == DNS_REFUSED && dns_reply_truncated(out), "none at all");
}

struct seen {
    char text[1024];
};

static void see(void *ctx, const char *name, bool asked, const struct ip_addr *a, uint32_t ttl)
{
    struct seen *s = ctx;
    char addr[IP_TEXT_MAX];
    size_t n = strlen(s->text);
    (void)snprintf(s->text + n, sizeof(s->text) - n, "%s%s %s %u;", name, asked ? "!" : "",
                   ip_format(a, addr), ttl);
}

static void answers(void)
{
    static const uint8_t v4[] = {198, 51, 100, 1};
    struct dns_question q;
    struct seen s = {""};
    struct msg m = question("www.example.org", DNS_TYPE_A);
    (void)dns_question_read(m.bytes, m.n, &q);
    m.bytes[2] |= 0x80;
    m.bytes[7] = 4;
    // Out of order: the address before the CNAMEs that lead to it.
    put_name(&m, "b.cdn");
    put_record(&m, DNS_TYPE_A, 50, v4, 4);
    put_name(&m, "stranger.example");
    put_record(&m, DNS_TYPE_A, 1, v4, 4);
    put_name(&m, "a.cdn");
    put_record(&m, DNS_TYPE_CNAME, 20, "\1b\3cdn", 7);
    put(&m, "\300\14", 2);
    put_record(&m, DNS_TYPE_CNAME, 300, "\1a\3cdn", 7);
    ok(dns_reply_fits(&q, 0x1234, m.bytes, m.n), "an answer to the question");
    is_int(dns_reply_each(&q, m.bytes, m.n, see, &s), 0, "is read");
    is_str(s.text, "b.cdn 198.51.100.1 20;a.cdn 198.51.100.1 20;www.example.org! 198.51.100.1 20;",
           "each name on the way, the smallest TTL, no stranger's");
    ok(!dns_reply_fits(&q, 0x1235, m.bytes, m.n), "another id does not fit");
    m.bytes[13] ^= 0x20;
    ok(!dns_reply_fits(&q, 0x1234, m.bytes, m.n), "nor another case");
    m.bytes[13] ^= 0x20;
    ok(!dns_reply_fits(&q, 0x1234, m.bytes, 20), "nor half a question");
    unsigned taken = 0;
    for (size_t n = DNS_HEADER_LEN + q.wire_len; n < m.n; n++)
        taken += dns_reply_each(&q, m.bytes, n, see, &(struct seen){""}) == 0;
    is_int(taken, 0, "cut anywhere it is not read to the end");
    is_int(dns_reply_each(&q, m.bytes, m.n - 1, see, &s), -EBADMSG, "one that is cut is not read");
}

static void loops(void)
{
    struct dns_question q;
    struct seen s = {""};
    struct msg m = question("a", DNS_TYPE_A);
    (void)dns_question_read(m.bytes, m.n, &q);
    m.bytes[2] |= 0x80;
    m.bytes[7] = 2;
    put_name(&m, "a");
    put_record(&m, DNS_TYPE_CNAME, 20, "\1b", 3);
    put_name(&m, "b");
    put_record(&m, DNS_TYPE_CNAME, 20, "\1a", 3);
    is_int(dns_reply_each(&q, m.bytes, m.n, see, &s), 0, "CNAMEs that lead in a circle end");
    is_str(s.text, "", "and lead nowhere");
    m = question("n0", DNS_TYPE_A);
    (void)dns_question_read(m.bytes, m.n, &q);
    m.bytes[7] = 40;
    for (int i = 0; i < 40; i++) {
        const char from[] = {'n', (char)('0' + i), 0};
        const uint8_t to[] = {2, 'n', (uint8_t)('1' + i < '\\' ? '1' + i : 'z'), 0};
        put_name(&m, from);
        put_record(&m, DNS_TYPE_CNAME, 20, to, 4);
    }
    is_int(dns_reply_each(&q, m.bytes, m.n, see, &s), 0, "forty of them are not followed for ever");
}

int main(void)
{
    names();
    long_names();
    reverse();
    questions();
    own_replies();
    answers();
    loops();
    return done_testing();
}
