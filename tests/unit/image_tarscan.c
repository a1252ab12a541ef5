// SPDX-License-Identifier: Apache-2.0
// The strict reader of tar headers: whatever way the bytes come in, the same members come out.
#include "internal/base/buf.h"
#include "internal/base/err.h"
#include "internal/image/member.h"
#include "internal/image/tarscan.h"
#include "tests/unit/tap.h"

#include <errno.h>
#include <stdlib.h>

// Appends a header and its data.
static void add(struct buf *b, char type, const char *name, const char *link, const char *data,
                size_t n)
{
    char h[512] = {0};
    // NOLINTBEGIN(bugprone-not-null-terminated-result): fields of a header
    memcpy(h, name, strnlen(name, 100));
    memcpy(h + 100, "0000644", 8);
    memcpy(h + 108, "0000000", 8);
    memcpy(h + 116, "0000000", 8);
    (void)snprintf(h + 124, 12, "%011o", (unsigned)n);
    memcpy(h + 136, "00000000001", 12);
    memset(h + 148, ' ', 8);
    h[156] = type;
    if (link)
        memcpy(h + 157, link, strnlen(link, 100));
    memcpy(h + 257, "ustar\00000", 8);
    // NOLINTEND(bugprone-not-null-terminated-result)
    unsigned sum = 0;
    for (size_t i = 0; i < sizeof(h); i++)
        sum += (unsigned char)h[i];
    (void)snprintf(h + 148, 8, "%06o", sum);
    buf_add(b, h, sizeof(h));
    buf_add(b, data, n);
    while (b->len % 512)
        buf_addc(b, '\0');
}

static void add_end(struct buf *b)
{
    for (int i = 0; i < 1024; i++)
        buf_addc(b, '\0');
}

// All members as one text; pushed in steps of so many bytes.
static int scan(const struct buf *b, size_t step, struct buf *out, struct err *err)
{
    struct tarscan *s = tarscan_new();
    struct tar_member m;
    int r = 0;
    for (size_t at = 0; r == 0 && at < b->len; at += step)
        r = tarscan_push(s, b->data + at, b->len - at < step ? b->len - at : step, err);
    while (r == 0 && tarscan_pop(s, &m)) {
        buf_addf(out, "%d %s %s %llu@%llu;", m.type, m.path, m.link ? m.link : "-",
                 (unsigned long long)m.size, (unsigned long long)m.offset);
        tar_member_done(&m);
    }
    if (r == 0)
        r = tarscan_finish(s, err);
    tarscan_free(s);
    return r;
}

static void test_steps(void)
{
    AUTO_BUF struct buf tar = {0};
    char data[1500];
    memset(data, 'x', sizeof(data));
    static const char pax[] = "14 path=a/b/c\n30 mtime=1000000000.123456789\n";
    add(&tar, '5', "dir/", NULL, "", 0);
    add(&tar, 'x', "pax", NULL, pax, sizeof(pax) - 1);
    add(&tar, '0', "short", NULL, data, sizeof(data));
    add(&tar, 'L', "././@LongLink", NULL, "long/name", 10);
    add(&tar, '2', "cut", "target", "", 0);
    add(&tar, '1', "hard", "a/b/c", "", 0);
    add_end(&tar);
    static const char want[] = "1 dir/ - 0@0;0 a/b/c - 1500@1536;2 long/name target 0@4608;"
                               "3 hard a/b/c 0@5120;";
    static const size_t steps[] = {1, 7, 511, 512, 513, 4096, 1U << 20};
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        AUTO_BUF struct buf out = {0};
        struct err err = {0};
        is_int(scan(&tar, steps[i], &out, &err), 0, "read in steps of %zu", steps[i]);
        is_str(buf_str(&out), want, "the same members");
    }
    // Cut anywhere, it is either malformed or too short.
    unsigned refused = 0;
    size_t whole = tar.len;
    for (tar.len = 0; tar.len < whole; tar.len++) {
        AUTO_BUF struct buf out = {0};
        struct err err = {0};
        refused += scan(&tar, 512, &out, &err) == -EBADMSG;
    }
    is_int(refused, (intmax_t)whole, "cut off anywhere it is refused");
}

static void refuse_pax(const char *records, const char *why)
{
    AUTO_BUF struct buf tar = {0};
    AUTO_BUF struct buf out = {0};
    struct err err = {0};
    add(&tar, 'x', "pax", NULL, records, strlen(records));
    add(&tar, '0', "f", NULL, "data", 4);
    add_end(&tar);
    ok(scan(&tar, 512, &out, &err) == -EBADMSG && strstr(err.text, why), "refused: %s", err.text);
}

static void test_pax(void)
{
    refuse_pax("8 size=\n", "bad value");
    refuse_pax("9 size=5\n", "disagree");
    refuse_pax("9 size=4\n9 size=4\n", "twice");
    refuse_pax("9 size=4", "malformed");
    refuse_pax("11 size=4\n", "malformed");
    refuse_pax("08 path=\n", "malformed");
    refuse_pax("8 path=\n", "bad value");
    refuse_pax("99999999999999999999 path=a\n", "malformed");
    refuse_pax("-9 path=a\n", "malformed");
    refuse_pax(" 9 path=a\n", "malformed");
    refuse_pax("13 mtime=1.x\n", "bad value");
    refuse_pax("24 GNU.sparse.numblocks\n", "malformed");
    refuse_pax("22 GNU.sparse.major=2\n", "bad value");
}

static void pax_time_is(const char *value, int64_t s, uint32_t ns)
{
    struct pax p = {0};
    struct err err = {0};
    AUTO_FREE char *text = str_fmt("%zu mtime=%s\n", strlen(value) + 10, value);
    int r = pax_parse(text, strlen(text), false, 0, &p, &err);
    ok(r == 0 && p.mtime.s == s && p.mtime.ns == ns, "mtime %s is %lld + %u ns", value,
       (long long)p.mtime.s, p.mtime.ns);
    pax_done(&p);
}

static void clean_is(const char *path, const char *want)
{
    AUTO_FREE char *copy = str_dup(path);
    struct err err = {0};
    if (member_clean_path(copy, "name", 0, &err) < 0)
        ok(!want, "\"%s\" is refused", path);
    else
        is_str(copy, want, "\"%s\" is clean", path);
}

// One of everything that has a header.
static void add_all_kinds(struct buf *b)
{
    static const char pax[] = "14 path=a/b/c\n30 mtime=1000000000.123456789\n";
    static const char name[] = "a/long/name";
    static const char global[] = "13 comment=x\n";
    add(b, 'g', "pax_global", NULL, global, sizeof(global) - 1);
    add(b, 'x', "pax", NULL, pax, sizeof(pax) - 1);
    add(b, '0', "short", NULL, "data", 4);
    add(b, 'L', "././@LongLink", NULL, name, sizeof(name));
    add(b, '0', "short", NULL, "", 0);
    add(b, '5', "dir/", NULL, "", 0);
    add(b, '2', "link", "a/b/c", "", 0);
    add(b, 'K', "././@LongLink", NULL, name, sizeof(name));
    add(b, '2', "link2", "cut", "", 0);
    add(b, '1', "hard", "a/b/c", "", 0);
    add_end(b);
}

static bool is_header(const struct buf *b, size_t block)
{
    return memcmp(b->data + block + 257, "ustar", 5) == 0;
}

// Where one bit of a header is another one, either that is seen, or it says the same (a zero of its
// checksum became a blank, or what stands behind that is looked at by nobody).
static void test_flipped_bits(void)
{
    AUTO_BUF struct buf tar = {0};
    AUTO_BUF struct buf whole = {0};
    struct err err = {0};
    add_all_kinds(&tar);
    is_int(scan(&tar, 512, &whole, &err), 0, "the archive is taken as it is");
    unsigned flipped = 0;
    unsigned taken = 0;
    unsigned wrong = 0;
    for (size_t block = 0; block < tar.len; block += 512) {
        for (size_t bit = 0; is_header(&tar, block) && bit < (size_t)512 * 8; bit++) {
            AUTO_BUF struct buf out = {0};
            tar.data[block + bit / 8] ^= (char)(1U << bit % 8);
            int r = scan(&tar, 512, &out, &err);
            tar.data[block + bit / 8] ^= (char)(1U << bit % 8);
            flipped++;
            taken += r == 0;
            wrong += r == 0 && strcmp(buf_str(&out), buf_str(&whole)) != 0;
        }
    }
    is_int(flipped, 10 * 512 * 8, "each bit of ten headers is flipped");
    is_int(wrong, 0, "and none gives other members in silence");
    ok(taken < flipped / 100, "all but %u of %u are refused", taken, flipped);
}

static void test_cut_off(void)
{
    AUTO_BUF struct buf tar = {0};
    struct err err = {0};
    unsigned taken = 0;
    add_all_kinds(&tar);
    size_t whole = tar.len;
    for (tar.len = 0; tar.len < whole; tar.len++) {
        AUTO_BUF struct buf out = {0};
        taken += scan(&tar, 512, &out, &err) == 0;
    }
    is_int(taken, 0, "cut off after any of its %zu bytes it is refused", whole);
}

int main(void)
{
    test_steps();
    test_flipped_bits();
    test_cut_off();
    test_pax();
    pax_time_is("10.55", 10, 550000000);
    pax_time_is("-1.75", -2, 250000000);
    pax_time_is("-0.25", -1, 750000000);
    pax_time_is("1.000000001999", 1, 1);
    clean_is("a/b", "a/b");
    clean_is("./a//b/./c/", "a/b/c");
    clean_is("///etc/passwd", "etc/passwd");
    clean_is("/", "");
    clean_is(".", "");
    clean_is("...", "...");
    clean_is("..", NULL);
    clean_is("a/..", NULL);
    clean_is("/..", NULL);
    clean_is("a/../b", NULL);
    clean_is("..a/b..", "..a/b..");
    return done_testing();
}
