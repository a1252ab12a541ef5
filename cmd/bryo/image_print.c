// SPDX-License-Identifier: Apache-2.0
#include "cmd/bryo/image_print.h"

#include "cmd/bryo/age.h"
#include "internal/base/buf.h"
#include "internal/base/bytesize.h"
#include "internal/base/cleanup.h"
#include "internal/base/escape.h"
#include "internal/roots/images.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

enum { COLUMNS = 8, STACK_COLUMNS = 7, DIGEST_SHOWN = 12 };

static void add_escaped(struct buf *out, const char *s)
{
    escape_add(out, s ? s : "", s ? strlen(s) : 0);
}

void print_rows(const struct strv *cells, size_t columns, struct buf *out)
{
    size_t width[COLUMNS] = {0};
    for (size_t i = 0; i < cells->n; i++)
        if (strlen(cells->v[i]) > width[i % columns])
            width[i % columns] = strlen(cells->v[i]);
    for (size_t i = 0; i < cells->n; i++) {
        size_t column = i % columns;
        if (column + 1 < columns)
            buf_addf(out, "%-*s  ", (int)width[column], cells->v[i]);
        else
            buf_addf(out, "%s\n", cells->v[i]);
    }
}

static const char *kind_name(enum image_kind kind)
{
    static const char *const names[] = {
        [IMAGE_ROOT] = "root", [IMAGE_LAYER] = "layer", [IMAGE_DIR] = "directory"};
    return names[kind];
}

void print_image_table(const struct image_info *images, size_t n, int64_t now_s, struct buf *out)
{
    static const char *const heads[COLUMNS] = {"DIGEST",  "KIND", "FORMAT", "SIZE",
                                               "ENTRIES", "IDS",  "USED",   "SOURCE"};
    AUTO_STRV struct strv cells = {0};
    for (size_t i = 0; i < COLUMNS; i++)
        strv_add(&cells, heads[i]);
    for (size_t i = 0; i < n; i++) {
        const struct image_info *m = &images[i];
        struct buf cell = {0};
        strv_addf(&cells, "%.*s", DIGEST_SHOWN, m->digest);
        strv_add(&cells, kind_name(m->kind));
        add_escaped(&cell, m->format);
        strv_take(&cells, buf_take(&cell));
        bytesize_add(&cell, m->unpacked_bytes);
        strv_take(&cells, buf_take(&cell));
        strv_addf(&cells, "%" PRIu64, m->entries);
        strv_add(&cells, m->map_key);
        if (m->in_use)
            buf_adds(&cell, "now");
        else
            print_age(m->used_s, now_s, &cell);
        strv_take(&cells, buf_take(&cell));
        add_escaped(&cell, m->source);
        strv_take(&cells, buf_take(&cell));
    }
    print_rows(&cells, COLUMNS, out);
}

static void add_stack_row(struct strv *cells, size_t number, const struct image_info *m)
{
    struct buf cell = {0};
    bool known = m->kind != IMAGE_DIR;
    strv_addf(cells, "%zu", number);
    strv_add(cells, kind_name(m->kind));
    strv_addf(cells, "%.*s", DIGEST_SHOWN, known ? m->digest : "-");
    if (known)
        bytesize_add(&cell, m->input_bytes);
    strv_take(cells, known ? buf_take(&cell) : str_dup("-"));
    if (known)
        bytesize_add(&cell, m->unpacked_bytes);
    strv_take(cells, known ? buf_take(&cell) : str_dup("-"));
    if (known)
        strv_addf(cells, "%" PRIu64, m->entries);
    else
        strv_add(cells, "-");
    add_escaped(&cell, m->source);
    strv_take(cells, buf_take(&cell));
}

void print_image_stack(const struct image_info *images, size_t n, struct buf *out)
{
    static const char *const heads[STACK_COLUMNS] = {"LAYER", "KIND",    "DIGEST", "INPUT",
                                                     "SIZE",  "ENTRIES", "SOURCE"};
    AUTO_STRV struct strv cells = {0};
    uint64_t input = 0;
    uint64_t size = 0;
    for (size_t i = 0; i < STACK_COLUMNS; i++)
        strv_add(&cells, heads[i]);
    for (size_t i = 0; i < n; i++) {
        add_stack_row(&cells, i, &images[i]);
        input += images[i].input_bytes;
        size += images[i].unpacked_bytes;
    }
    print_rows(&cells, STACK_COLUMNS, out);
    buf_adds(out, "together ");
    bytesize_add(out, input);
    buf_adds(out, ", unpacked ");
    bytesize_add(out, size);
    buf_addc(out, '\n');
}

void print_image_fields(const struct image_info *m, int64_t now_s, struct buf *out)
{
    buf_addf(out, "digest:    sha256:%s\nkind:      %s\nsource:    ", m->digest,
             kind_name(m->kind));
    add_escaped(out, m->source);
    buf_adds(out, "\nformat:    ");
    add_escaped(out, m->format);
    buf_adds(out, "\ninput:     ");
    bytesize_add(out, m->input_bytes);
    buf_adds(out, "\nunpacked:  ");
    bytesize_add(out, m->unpacked_bytes);
    buf_addf(out,
             "\nentries:   %" PRIu64 "\nleft out:  %" PRIu64 " devices, %" PRIu64
             " attributes\nowners:    %" PRIu64 " beyond these ids, given to root"
             "\nids:       %s\ncreated:   ",
             m->entries, m->skipped_devices, m->skipped_xattrs, m->squashed_owners, m->map_key);
    print_age(m->created_s, now_s, out);
    buf_adds(out, "\nused:      ");
    if (m->in_use)
        buf_adds(out, "now");
    else
        print_age(m->used_s, now_s, out);
    buf_adds(out, "\npath:      ");
    add_escaped(out, m->path);
    buf_addc(out, '\n');
}

static void json_string(struct buf *out, const char *key, const char *s)
{
    buf_addf(out, "\"%s\":\"", key);
    escape_add_json(out, s ? s : "", s ? strlen(s) : 0);
    buf_addc(out, '"');
}

static void json_time(struct buf *out, const char *key, int64_t s)
{
    char text[40] = "";
    struct tm tm;
    time_t t = (time_t)s;
    if (gmtime_r(&t, &tm) && strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm) > 0)
        json_string(out, key, text);
    else
        buf_addf(out, "\"%s\":null", key);
}

static void json_image(struct buf *out, const struct image_info *m)
{
    buf_addc(out, '{');
    json_string(out, "kind", kind_name(m->kind));
    buf_addc(out, ',');
    if (m->kind == IMAGE_DIR) {
        json_string(out, "source", m->source);
        buf_addc(out, ',');
        json_string(out, "path", m->path);
        buf_addc(out, '}');
        return;
    }
    json_string(out, "digest", m->digest);
    buf_addc(out, ',');
    json_string(out, "ids", m->map_key);
    buf_addc(out, ',');
    json_string(out, "source", m->source);
    buf_addc(out, ',');
    json_string(out, "format", m->format);
    buf_addf(out,
             ",\"input_bytes\":%" PRIu64 ",\"unpacked_bytes\":%" PRIu64 ",\"entries\":%" PRIu64
             ",\"skipped_devices\":%" PRIu64 ",\"skipped_xattrs\":%" PRIu64
             ",\"squashed_owners\":%" PRIu64 ",",
             m->input_bytes, m->unpacked_bytes, m->entries, m->skipped_devices, m->skipped_xattrs,
             m->squashed_owners);
    json_time(out, "created", m->created_s);
    buf_addc(out, ',');
    json_time(out, "used", m->used_s);
    buf_addf(out, ",\"in_use\":%s,", m->in_use ? "true" : "false");
    json_string(out, "path", m->path);
    buf_addc(out, '}');
}

void print_image_json(const struct image_info *images, size_t n, struct buf *out)
{
    buf_addc(out, '[');
    for (size_t i = 0; i < n; i++) {
        buf_adds(out, i ? ",\n" : "\n");
        json_image(out, &images[i]);
    }
    buf_adds(out, n ? "\n]\n" : "]\n");
}
