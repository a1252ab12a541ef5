// SPDX-License-Identifier: Apache-2.0
// What a kept scratch remembers comes back as it was, and nothing else is taken for it; names of
// tarballs and what they hold.
#include "internal/image/pack_format.h"
#include "internal/roots/scratch_record.h"

#include "tests/unit/tap.h"

#include <stdlib.h>

static void fill(struct scratch_record *r)
{
    *r = (struct scratch_record){.rootfs = str_dup("/a b\n7 c"),
                                 .lower = str_dup(""),
                                 .init_layer = str_dup("/init"),
                                 .map_key = "single",
                                 .maps = {.kind = IDMAP_DIRECT}};
    idmap_add(&r->maps.uid, 0, 1000, 1);
    idmap_add(&r->maps.uid, 1, 100000, 65536);
    idmap_add(&r->maps.gid, 0, 1001, 1);
    strv_add(&r->layer_sources, "/l1.tar");
    strv_add(&r->layer_paths, "/store/1\xff");
    strv_add(&r->layer_sources, "/l2");
    strv_add(&r->layer_paths, "/l2");
}

static void round_trip(const char *text)
{
    AUTO_RECORD struct scratch_record r = {0};
    if (!is_int(scratch_record_parse(text, &r), 0, "what was written is read"))
        return;
    is_str(r.rootfs, "/a b\n7 c", "a path with blanks and newlines");
    is_str(r.lower, "", "an empty one");
    is_str(r.init_layer, "/init", "the init layer");
    is_str(r.map_key, "single", "the key of the maps");
    is_int(r.maps.kind, IDMAP_DIRECT, "their kind");
    ok(r.maps.uid.n == 2 && r.maps.uid.ext[1].outside == 100000 && r.maps.gid.n == 1, "the maps");
    is_int((intmax_t)r.layer_paths.n, 2, "two layers");
    is_str(r.layer_paths.v[0], "/store/1\xff", "the lower one");
    is_str(r.layer_sources.v[1], "/l2", "the upper one");
}

// Every cut and every changed byte is either refused or read as something that is whole.
static void damage(const struct buf *text)
{
    unsigned refused = 0;
    for (size_t n = 0; n < text->len; n++) {
        AUTO_FREE char *cut = str_dupn(text->data, n);
        AUTO_RECORD struct scratch_record r = {0};
        refused += scratch_record_parse(cut, &r) < 0;
    }
    is_int(refused, (intmax_t)text->len, "no beginning of it is taken for the whole");
    for (size_t i = 0; i < text->len; i++) {
        AUTO_FREE char *bad = str_dupn(text->data, text->len);
        AUTO_RECORD struct scratch_record r = {0};
        bad[i] ^= 4;
        if (scratch_record_parse(bad, &r) == 0 && (!r.rootfs || !r.lower || !r.init_layer))
            ok(0, "byte %zu changed: read without a part", i);
    }
    AUTO_BUF struct buf more = {0};
    AUTO_RECORD struct scratch_record r = {0};
    buf_add(&more, text->data, text->len);
    buf_addc(&more, 'x');
    is_int(scratch_record_parse(more.data, &r), -22, "nor is what has more behind it");
}

static void formats(void)
{
    static const struct {
        const char *path;
        enum pack_format format;
    } rows[] = {{"a.tar", PACK_TAR},       {"a.tar.gz", PACK_GZIP}, {"dir/a.tgz", PACK_GZIP},
                {"a.tar.xz", PACK_XZ},     {"a.txz", PACK_XZ},      {"a.tar.zst", PACK_ZSTD},
                {"a.b.tzst", PACK_ZSTD},   {".tar", PACK_UNKNOWN},  {"tar", PACK_UNKNOWN},
                {"a.zip", PACK_UNKNOWN},   {"", PACK_UNKNOWN},      {"a.TAR", PACK_UNKNOWN},
                {"a.tar/b", PACK_UNKNOWN}, {"a.zst", PACK_UNKNOWN}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        is_int(pack_format_of_file(rows[i].path), rows[i].format, "format of \"%s\"", rows[i].path);
    for (int f = PACK_TAR; f < PACK_UNKNOWN; f++)
        is_int(pack_format_parse(pack_format_name((enum pack_format)f)), f, "name of format %d", f);
    is_int(pack_format_parse("zip"), PACK_UNKNOWN, "a format that is none");
}

int main(void)
{
    AUTO_RECORD struct scratch_record r = {0};
    AUTO_BUF struct buf text = {0};
    fill(&r);
    scratch_record_format(&r, &text);
    round_trip(text.data);
    damage(&text);
    formats();
    return done_testing();
}
