// SPDX-License-Identifier: Apache-2.0
#include "internal/base/escape.h"

#include "internal/base/buf.h"

#include <string.h>

// The length of the UTF-8 sequence at s (RFC 3629: shortest form, no surrogates, up to U+10FFFF),
// its code point in *cp; 0 when there is none.
static size_t utf8_at(const unsigned char *s, size_t n, unsigned *cp)
{
    static const unsigned lowest[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t len = s[0] < 0x80 ? 1 : s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
    if (len == 0 || len > n || s[0] > 0xf4)
        return 0;
    unsigned c = len == 1 ? s[0] : s[0] & (0x7fU >> len);
    for (size_t i = 1; i < len; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return 0;
        c = c << 6 | (s[i] & 0x3f);
    }
    if (c < lowest[len] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
        return 0;
    *cp = c;
    return len;
}

static int is_ci_command(const unsigned char *s, size_t n)
{
    return (n >= 2 && memcmp(s, "::", 2) == 0) || (n >= 3 && memcmp(s, "##[", 3) == 0);
}

void escape_add(struct buf *b, const char *str, size_t n)
{
    const unsigned char *s = (const unsigned char *)str;
    while (n > 0) {
        unsigned cp = 0;
        size_t len = utf8_at(s, n, &cp);
        if (len == 1 && cp == '\\') {
            buf_adds(b, "\\\\");
        } else if (len == 0 || cp < 0x20 || (cp >= 0x7f && cp < 0xa0) || is_ci_command(s, n)) {
            if (len == 0)
                len = 1;
            for (size_t i = 0; i < len; i++)
                buf_addf(b, "\\x%02x", s[i]);
        } else {
            buf_add(b, s, len);
        }
        s += len;
        n -= len;
    }
}

void escape_add_json(struct buf *b, const char *str, size_t n)
{
    const unsigned char *s = (const unsigned char *)str;
    while (n > 0) {
        unsigned cp = 0;
        size_t len = utf8_at(s, n, &cp);
        if (len == 0) {
            buf_adds(b, "\\ufffd");
            len = 1;
        } else if (cp == '"' || cp == '\\') {
            buf_addf(b, "\\%c", (char)cp);
        } else if (cp < 0x20 || (cp >= 0x7f && cp < 0xa0) || (n >= 3 && memcmp(s, "##[", 3) == 0)) {
            buf_addf(b, "\\u%04x", cp);
        } else {
            buf_add(b, s, len);
        }
        s += len;
        n -= len;
    }
}
