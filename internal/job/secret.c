// SPDX-License-Identifier: Apache-2.0
#include "internal/job/secret.h"

#include "internal/base/buf.h"
#include "internal/base/err.h"
#include "internal/job/masker.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define NAME_MAX_LEN 128
#define FORM_MIN     4 // bytes; less would mask what is no secret

int secret_check_name(const char *name, size_t len, struct err *err)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";
    bool good = len > 0 && len <= NAME_MAX_LEN && name[0] != '.' && name[0] != '-';
    for (size_t i = 0; good && i < len; i++)
        good = name[i] && strchr(allowed, name[i]);
    if (good)
        return 0;
    (void)err_set(err, EINVAL, "\"%.*s\" is no name for a secret", (int)len, name);
    return err_hint(err, "letters, digits, \"_\", \"-\" and \".\", as in TOKEN or TOKEN=FILE: it "
                         "becomes the file /run/secrets/NAME");
}

int secret_set(struct secret *ret, const char *name, const void *value, size_t len, struct err *err)
{
    int r = secret_check_name(name, strlen(name), err);
    if (r < 0)
        return r;
    if (len == 0)
        return err_set(err, EINVAL, "the secret %s is empty", name);
    if (len > SECRET_MAX)
        return err_set(err, EFBIG, "the secret %s has more than %u KiB", name, SECRET_MAX >> 10);
    *ret = (struct secret){.name = str_dup(name), .value = mem_alloc(len + 1), .len = len};
    memcpy(ret->value, value, len);
    return 0;
}

void secret_done(struct secret *s)
{
    if (s->value)
        explicit_bzero(s->value, s->len);
    free(s->value);
    free(s->name);
    *s = (struct secret){0};
}

// A buffer of secret bytes, overwritten before it is freed.
static void wipe(struct buf *b)
{
    if (b->data)
        explicit_bzero(b->data, b->cap);
    buf_done(b);
}

static void add_if_long(struct masker *m, const char *s, size_t n)
{
    if (n >= FORM_MIN)
        masker_add(m, s, n);
}

static void add_lines(struct masker *m, const char *s, size_t n)
{
    while (n > 0) {
        size_t len = 0;
        while (len < n && s[len] != '\n' && s[len] != '\r')
            len++;
        const char *line = s;
        size_t rest = len;
        while (rest && (*line == ' ' || *line == '\t'))
            line++, rest--;
        while (rest && (line[rest - 1] == ' ' || line[rest - 1] == '\t'))
            rest--;
        add_if_long(m, line, rest);
        size_t skip = len < n ? len + 1 : len;
        s += skip;
        n -= skip;
    }
}

// Returns how many characters hold nothing but bits of what is encoded; those behind them are what
// is left over at the end of a text, and something else where the text goes on.
static size_t base64(const unsigned char *s, size_t n, unsigned shift, const char *alphabet,
                     struct buf *out)
{
    unsigned acc = 0;
    unsigned bits = 2 * shift; // what is left of that many zero bytes in front,
    for (unsigned i = 0; i < shift; i++)
        buf_addc(out, alphabet[0]); // which begin with as many characters
    for (size_t i = 0; i < n; i++) {
        acc = acc << 8 | s[i];
        bits += 8;
        while (bits >= 6) {
            bits -= 6;
            buf_addc(out, alphabet[acc >> bits & 63]);
        }
    }
    size_t sure = out->len;
    if (bits)
        buf_addc(out, alphabet[acc << (6 - bits) & 63]);
    while (bits && out->len % 4)
        buf_addc(out, '=');
    return sure;
}

static void add_wrapped(struct masker *m, const struct buf *b, size_t width)
{
    for (size_t at = 0; b->len > width && at < b->len; at += width)
        add_if_long(m, b->data + at, b->len - at < width ? b->len - at : width);
}

static void add_base64(struct masker *m, const char *s, size_t n)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    static const char url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    // With one or two bytes in front, the first characters hold bits of those.
    static const size_t foreign[] = {0, 2, 3};
    for (int a = 0; a < 2; a++) {
        for (unsigned shift = 0; shift < 3; shift++) {
            struct buf b = {0};
            size_t sure = base64((const unsigned char *)s, n, shift, a ? url : plain, &b);
            size_t skip = foreign[shift];
            if (sure > skip) {
                add_if_long(m, b.data + skip, sure - skip);
                add_if_long(m, b.data + skip, b.len - skip);
            }
            if (shift == 0) {
                add_wrapped(m, &b, 64);
                add_wrapped(m, &b, 76);
            }
            wipe(&b);
        }
    }
}

static void json_byte(struct buf *out, unsigned char c)
{
    static const char escapes[] = "\bb\ff\nn\rr\tt\"\"\\\\";
    for (size_t i = 0; i + 1 < sizeof(escapes); i += 2) {
        if (escapes[i] == (char)c) {
            buf_addf(out, "\\%c", escapes[i + 1]);
            return;
        }
    }
    if (c < 0x20)
        buf_addf(out, "\\u%04x", c);
    else
        buf_addc(out, (char)c);
}

static void percent_byte(struct buf *out, unsigned char c)
{
    bool unreserved = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '-' || c == '.' || c == '_' || c == '~';
    if (unreserved)
        buf_addc(out, (char)c);
    else
        buf_addf(out, "%%%02X", c);
}

static void shell_byte(struct buf *out, unsigned char c)
{
    buf_adds(out, c == '\'' ? "'\\''" : (char[]){(char)c, '\0'});
}

static void add_escaped(struct masker *m, const char *s, size_t n,
                        void (*byte)(struct buf *out, unsigned char c))
{
    struct buf b = {0};
    for (size_t i = 0; i < n; i++)
        byte(&b, (unsigned char)s[i]);
    if (b.len != n) // else nothing is escaped, and it is the value itself
        add_if_long(m, b.data, b.len);
    wipe(&b);
}

void secret_add_forms(const struct secret *s, struct masker *m)
{
    size_t n = s->len;
    while (n > 1 && (s->value[n - 1] == '\n' || s->value[n - 1] == '\r'))
        n--;
    masker_add(m, s->value, n);
    add_lines(m, s->value, n);
    add_base64(m, s->value, n);
    add_escaped(m, s->value, n, json_byte);
    add_escaped(m, s->value, n, percent_byte);
    add_escaped(m, s->value, n, shell_byte);
}
