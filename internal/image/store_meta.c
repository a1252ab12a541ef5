// SPDX-License-Identifier: Apache-2.0
#include "internal/image/store_meta.h"

#include "internal/base/buf.h"
#include "internal/base/cleanup.h"
#include "internal/base/escape.h"
#include "internal/base/parse.h"

#include <inttypes.h>
#include <string.h>

#define META_VERSION 1
#define LAYER_SUFFIX "-layer"

void store_meta_done(struct store_meta *m)
{
    free(m->source);
    *m = (struct store_meta){0};
}

bool store_is_digest(const char *s, size_t n)
{
    return n == 64 && strspn(s, "0123456789abcdef") >= 64;
}

bool store_is_format(const char *s)
{
    size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789.");
    return n > 0 && !s[n];
}

bool store_is_entry_name(const char *s)
{
    if (strlen(s) < 66 || s[64] != '-' || !store_is_digest(s, 64))
        return false;
    size_t n = strspn(s + 65, "0123456789abcdefghijklmnopqrstuvwxyz");
    return n >= 1 && n <= 16 && (s[65 + n] == '\0' || strcmp(s + 65 + n, LAYER_SUFFIX) == 0);
}

void store_key(char ret[STORE_KEY_SIZE], const char *map_key, bool layer)
{
    (void)snprintf(ret, STORE_KEY_SIZE, "%.16s%s", map_key, layer ? LAYER_SUFFIX : "");
}

void store_entry_name(char ret[96], const char *digest, const char *key)
{
    (void)snprintf(ret, 96, "%.64s-%.23s", digest, key);
}

void store_split_name(const char *name, char ret_digest[65], char ret_map_key[17], bool *ret_layer)
{
    size_t n = strcspn(name + 65, "-");
    (void)snprintf(ret_digest, 65, "%.64s", name);
    (void)snprintf(ret_map_key, 17, "%.*s", (int)n, name + 65);
    *ret_layer = name[65 + n] != '\0';
}

// One row a member, for both directions.
#define NUMBERS(X)                              \
    X("input_bytes", stats.input_bytes)         \
    X("unpacked_bytes", stats.unpacked_bytes)   \
    X("entries", stats.entries)                 \
    X("skipped_devices", stats.skipped_devices) \
    X("squashed_owners", stats.squashed_owners) \
    X("skipped_xattrs", stats.skipped_xattrs)

void store_meta_format(const struct store_meta *m, struct buf *out)
{
    buf_addf(out, "{\"version\": %d,\n \"digest\": \"%s\",\n \"format\": \"%s\",\n \"source\": \"",
             META_VERSION, m->stats.digest, m->stats.format);
    escape_add_json(out, m->source ? m->source : "", m->source ? strlen(m->source) : 0);
    buf_addf(out, "\",\n \"created\": %" PRId64, m->created_s);
#define PUT(name, field) buf_addf(out, ",\n \"" name "\": %" PRIu64, m->field);
    NUMBERS(PUT)
#undef PUT
    buf_adds(out, "}\n");
}

struct cursor {
    const char *at;
    const char *end;
};

static void skip_space(struct cursor *c)
{
    while (c->at < c->end && (*c->at == ' ' || *c->at == '\n' || *c->at == '\t' || *c->at == '\r'))
        c->at++;
}

static bool take(struct cursor *c, char want)
{
    skip_space(c);
    if (c->at == c->end || *c->at != want)
        return false;
    c->at++;
    return true;
}

static int hex_digit(char ch)
{
    return ch >= '0' && ch <= '9' ? ch - '0' : ch >= 'a' && ch <= 'f' ? ch - 'a' + 10 : -1;
}

// \uNNNN below U+0080 (all that is written for control characters), or U+FFFD.
static bool take_u(struct cursor *c, struct buf *out)
{
    unsigned v = 0;
    for (int i = 0; i < 4; i++, c->at++) {
        int d = c->at < c->end ? hex_digit(*c->at) : -1;
        if (d < 0)
            return false;
        v = v << 4 | (unsigned)d;
    }
    if (v == 0xfffd)
        buf_adds(out, "\xef\xbf\xbd");
    else if (v == 0 || v >= 0xa0)
        return false;
    else if (v >= 0x80)
        buf_add(out, (const char[]){'\xc2', (char)v}, 2);
    else
        buf_addc(out, (char)v);
    return true;
}

static bool take_string(struct cursor *c, struct buf *out)
{
    if (!take(c, '"'))
        return false;
    while (c->at < c->end) {
        char ch = *c->at++;
        if (ch == '"')
            return true;
        if ((unsigned char)ch < 0x20)
            return false;
        if (ch != '\\') {
            buf_addc(out, ch);
        } else if (c->at == c->end) {
            return false;
        } else {
            ch = *c->at++;
            if (ch == 'u' ? !take_u(c, out) : ch != '"' && ch != '\\')
                return false;
            if (ch != 'u')
                buf_addc(out, ch);
        }
    }
    return false;
}

static bool take_number(struct cursor *c, uint64_t *ret)
{
    skip_space(c);
    const char *from = c->at;
    while (c->at < c->end && *c->at >= '0' && *c->at <= '9')
        c->at++;
    return parse_u64n(from, (size_t)(c->at - from), 0, UINT64_MAX, ret) == 0;
}

static bool set_text(struct store_meta *m, const char *name, const struct buf *value)
{
    const char *s = buf_str(value);
    if (strlen(s) != value->len)
        return false;
    if (strcmp(name, "source") == 0) {
        free(m->source);
        m->source = str_dup(s);
        return true;
    }
    if (strcmp(name, "digest") == 0 && store_is_digest(s, value->len)) {
        memcpy(m->stats.digest, s, sizeof(m->stats.digest));
        return true;
    }
    if (strcmp(name, "format") == 0 && value->len < sizeof(m->stats.format) && store_is_format(s)) {
        memcpy(m->stats.format, s, value->len + 1);
        return true;
    }
    return false;
}

static bool set_number(struct store_meta *m, const char *name, uint64_t value)
{
    if (strcmp(name, "version") == 0)
        return value == META_VERSION;
    if (strcmp(name, "created") == 0) {
        m->created_s = (int64_t)value;
        return value <= INT64_MAX;
    }
#define GET(key, field)           \
    if (strcmp(name, key) == 0) { \
        m->field = value;         \
        return true;              \
    }
    NUMBERS(GET)
#undef GET
    return false;
}

static bool take_member(struct cursor *c, struct store_meta *m)
{
    AUTO_BUF struct buf name = {0};
    AUTO_BUF struct buf text = {0};
    uint64_t number = 0;
    if (!take_string(c, &name) || !take(c, ':'))
        return false;
    skip_space(c);
    if (c->at < c->end && *c->at == '"')
        return take_string(c, &text) && set_text(m, buf_str(&name), &text);
    return take_number(c, &number) && set_number(m, buf_str(&name), number);
}

int store_meta_parse(const char *text, size_t n, struct store_meta *ret)
{
    AUTO_META struct store_meta m = {0};
    struct cursor c = {text, text + n};
    if (!take(&c, '{'))
        return -EINVAL;
    do {
        if (!take_member(&c, &m))
            return -EINVAL;
    } while (take(&c, ','));
    if (!take(&c, '}'))
        return -EINVAL;
    skip_space(&c);
    if (c.at != c.end || !m.stats.digest[0] || !m.stats.format[0] || !m.source)
        return -EINVAL;
    *ret = m;
    m.source = NULL;
    return 0;
}
