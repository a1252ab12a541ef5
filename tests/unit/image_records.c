// SPDX-License-Identifier: Apache-2.0
// What the store writes for itself: meta.json, the manifest, its checksum.
#include "internal/base/buf.h"
#include "internal/base/err.h"
#include "internal/image/crc64.h"
#include "internal/image/manifest_set.h"
#include "internal/image/siphash.h"
#include "internal/image/store_meta.h"
#include "internal/roots/progress.h"
#include "tests/unit/tap.h"

#include <errno.h>
#include <stdlib.h>

#define DIGEST "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void test_meta(void)
{
    struct store_meta m = {.source = (char *)"/a \"b\"\\\n\xff", .created_s = 12345};
    AUTO_BUF struct buf text = {0};
    AUTO_META struct store_meta back = {0};
    (void)snprintf(m.stats.digest, sizeof(m.stats.digest), "%s", DIGEST);
    (void)snprintf(m.stats.format, sizeof(m.stats.format), "tar.xz");
    m.stats.input_bytes = UINT64_MAX;
    m.stats.entries = 7;
    store_meta_format(&m, &text);
    is_int(store_meta_parse(text.data, text.len, &back), 0, "meta.json is read back");
    is_str(back.source, "/a \"b\"\\\n\xef\xbf\xbd", "with its source");
    is_str(back.stats.digest, DIGEST, "its digest");
    ok(back.stats.input_bytes == UINT64_MAX && back.stats.entries == 7 && back.created_s == 12345,
       "and its numbers");
    unsigned refused = 0;
    size_t whole = text.len - 1; // the last newline may be missing
    for (size_t n = 0; n < whole; n++) {
        struct store_meta part = {0};
        refused += store_meta_parse(text.data, n, &part) == -EINVAL;
    }
    is_int(refused, (intmax_t)whole, "cut off anywhere it is refused");
    ok(store_is_entry_name(DIGEST "-single"), "an entry's name");
    ok(!store_is_entry_name(DIGEST "-"), "needs a map key");
    ok(!store_is_entry_name("../" DIGEST "-single"), "and is nothing else");
    ok(!store_is_digest("../../etc", 9), "a digest has 64 digits");
}

static void entry(struct buf *out, uint64_t seq, char type, const char *path, const char *link)
{
    struct manifest_entry e = {.seq = seq,
                               .type = type,
                               .mode = 0644,
                               .size = seq,
                               .has_mtime = true,
                               .mtime_s = type == 'd' ? INT64_MIN : -5,
                               .mtime_ns = 7,
                               .crc = 0xfedcba9876543210,
                               .path = (char *)path,
                               .link = (char *)link};
    manifest_add(out, &e);
}

static void test_manifest(void)
{
    AUTO_BUF struct buf text = {0};
    struct manifest_set set = {0};
    struct err err = {0};
    manifest_begin(&text);
    entry(&text, 9, 'h', "again", "a");
    entry(&text, 1, 'f', "a", NULL);
    entry(&text, 2, 'h', "b", "a");
    entry(&text, 3, 'f', "a", NULL);
    entry(&text, 4, 'd', "d", NULL);
    entry(&text, 5, 'f', "d/gone", NULL);
    entry(&text, 6, 'x', "d", NULL);
    entry(&text, 7, 'd', "d", NULL);
    entry(&text, 8, 'l', "d/odd\n\xff\\name", "to the\tright");
    entry(&text, 10, 'd', "", NULL);
    manifest_end(&text, 10);
    AUTO_FREE char *copy = str_dup(buf_str(&text));
    is_int(manifest_set_parse(copy, &set, &err), 0, "a manifest is read back");
    struct manifest_item *a = manifest_set_find(&set, "a");
    ok(a && a->e.seq == 3, "the last of two members holds");
    struct manifest_item *b = manifest_set_find(&set, "b");
    ok(b && b->as->e.seq == 1, "a hard link names the file that was there then");
    struct manifest_item *again = manifest_set_find(&set, "again");
    ok(again && again->as == a, "and a later one the later");
    ok(!manifest_set_find(&set, "d/gone"), "what was removed with its directory is gone");
    ok(manifest_set_find(&set, "d") && manifest_set_find(&set, ""), "the directory is there again");
    struct manifest_item *odd = manifest_set_find(&set, "d/odd\n\xff\\name");
    is_str(odd ? odd->e.link : NULL, "to the\tright", "names are kept byte for byte");
    ok(odd && odd->e.mtime_s == -5 && odd->e.mtime_ns == 7 && odd->e.crc == 0xfedcba9876543210,
       "and so are times and checksums");
    struct manifest_item *first = manifest_set_find(&set, "d");
    ok(first && first->e.mtime_s == INT64_MIN, "to the first second that there is");
    manifest_set_done(&set);
    unsigned refused = 0;
    for (size_t n = 0; n < text.len; n++) {
        AUTO_FREE char *part = str_dupn(text.data, n);
        struct manifest_set cut = {0};
        refused += manifest_set_parse(part, &cut, &err) == -EBADMSG;
    }
    is_int(refused, (intmax_t)text.len, "cut off anywhere it is refused");
}

static void test_sums(void)
{
    static const unsigned char zeros[5000];
    uint64_t crc = crc64_add(0, "123456789", 9);
    ok(crc == 0x995dc9bbdf1939fa, "CRC-64/XZ of the usual check value");
    for (size_t n = 0; n < sizeof(zeros); n += 777)
        ok(crc64_add(crc, zeros, n) == crc64_add_zeros(crc, n), "%zu zeros, both ways", n);
    uint64_t half = crc64_add_zeros(crc, UINT64_C(1) << 60);
    ok(crc64_add_zeros(half, UINT64_C(1) << 60) == crc64_add_zeros(crc, UINT64_C(1) << 61),
       "2 EiB of them at once");
    ok(siphash(1, 2, "abc", 3) == siphash(1, 2, "abc", 3), "a hash is a function");
    ok(siphash(1, 2, "abc", 3) != siphash(1, 3, "abc", 3), "of its key");
    ok(siphash(1, 2, "abcdefgh", 8) != siphash(1, 2, "abcdefgh\0", 9), "and of the length");
}

static void bar_is(struct progress p, unsigned width, const char *want)
{
    AUTO_BUF struct buf out = {0};
    progress_format("unpacking", &p, width, false, &out);
    is_str(buf_str(&out), want, "a bar of %u columns", width);
    ok(out.len < width, "fits");
}

int main(void)
{
    test_meta();
    test_manifest();
    test_sums();
    struct progress half = {500, 1000, 123456789, 10, 2000000};
    bar_is(half, 80,
           "unpacking [###############               ]  50%  117 MiB  58 MiB/s  3 s left");
    bar_is(half, 40, "unpacking  50%");
    bar_is(half, 20, "unpacking  50%");
    struct progress done = {2000, 1000, 0, 0, 0};
    bar_is(done, 60, "unpacking [##############################] 100%  0 B");
    struct progress slow = {1, 1000, 1, 1, 1000000};
    bar_is(slow, 100,
           "unpacking [                              ]   0%  1 B  1 B/s  16:40 min left");
    return done_testing();
}
