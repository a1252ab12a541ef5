// SPDX-License-Identifier: Apache-2.0
#include "internal/job/guard.h"

#include "internal/base/buf.h"

#include <string.h>

// Besides \n and \r whatever any reader of lines takes for an end: VT, FF, U+0085, U+2028, U+2029.
static bool ends_line(const struct guard *g, unsigned char c)
{
    return c == '\n' || c == '\r' || c == '\v' || c == '\f' ||
           (g->before[1] == 0xc2 && c == 0x85) ||
           (g->before[0] == 0xe2 && g->before[1] == 0x80 && (c == 0xa8 || c == 0xa9));
}

static bool is_letter(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// Whether c would complete the beginning of a command.
static bool completes(struct guard *g, unsigned char c)
{
    bool does = false;
    if (c == '[' && g->hashes == 2)
        does = true;
    else if (c == ':' && g->colon)
        does = true;
    g->colon = c == ':' && !g->printed;
    g->printed = true;
    if (c == '#')
        g->hashes = g->hashes ? 2 : 1;
    else if (!(g->hashes == 2 && is_letter(c)))
        g->hashes = 0;
    return does;
}

void guard_feed(struct guard *g, const void *bytes, size_t n, struct buf *out)
{
    const unsigned char *s = bytes;
    size_t done = 0;
    for (size_t i = 0; i < n; i++) {
        unsigned char c = s[i];
        if (ends_line(g, c)) {
            *g = (struct guard){0};
        } else if (c == ' ' || c == '\t') {
            g->hashes = 0;
            g->colon = false;
        } else if (c > ' ' && c < 0x7f && completes(g, c)) {
            buf_add(out, s + done, i - done);
            buf_addc(out, '\\');
            done = i;
        }
        g->before[0] = g->before[1];
        g->before[1] = c;
    }
    buf_add(out, s + done, n - done);
}

// --- terminals -----------------------------------------------------------------------------------

#define ESC 0x1b

static void show(struct buf *out, unsigned char c)
{
    if ((c >= 0x20 && c < 0x7f) || (c >= 0xa0))
        buf_addc(out, (char)c);
    else
        buf_addf(out, "\\x%02x", c);
}

static void show_all(struct termsafe *t, struct buf *out)
{
    for (size_t i = 0; i < t->len; i++)
        show(out, t->seq[i]);
    t->len = 0;
}

// The next byte of a sequence that began. False: it is no part of it.
static bool in_sequence(struct termsafe *t, unsigned char c, struct buf *out)
{
    bool first = t->len == 1;
    bool csi = first ? c == '[' : (c >= '0' && c <= '9') || c == ';' || c == ':';
    if (csi && t->len < sizeof(t->seq)) {
        t->seq[t->len++] = c;
        return true;
    }
    if (!first && (c == 'm' || c == 'K')) {
        buf_add(out, t->seq, t->len);
        buf_addc(out, (char)c);
        t->len = 0;
        return true;
    }
    show_all(t, out);
    return false;
}

static unsigned utf8_follow(unsigned char c)
{
    return c >= 0xf0 && c <= 0xf4 ? 3 : c >= 0xe0 && c <= 0xef ? 2 : c >= 0xc2 && c <= 0xdf ? 1 : 0;
}

static void plain_byte(struct termsafe *t, unsigned char c, struct buf *out)
{
    bool follows = t->follow && (c & 0xc0) == 0x80;
    t->follow = follows ? t->follow - 1 : utf8_follow(c);
    if (c == ESC || c == 0xc2)
        t->seq[t->len++] = c;
    else if (follows || c >= 0xa0 || (c >= 0x20 && c < 0x7f) || (c >= '\a' && c <= '\n') ||
             c == '\r')
        buf_addc(out, (char)c);
    else
        show(out, c);
}

void termsafe_feed(struct termsafe *t, const void *bytes, size_t n, struct buf *out)
{
    const unsigned char *s = bytes;
    for (size_t i = 0; i < n; i++) {
        if (t->len && t->seq[0] == 0xc2) { // U+0080 to U+009F are controls of one character
            bool control = s[i] >= 0x80 && s[i] < 0xa0;
            t->len = 0;
            if (control) {
                t->follow = 0;
                buf_addf(out, "\\x%02x", s[i]);
                continue;
            }
            buf_addc(out, (char)0xc2);
        } else if (t->len && in_sequence(t, s[i], out)) {
            continue;
        }
        plain_byte(t, s[i], out);
    }
}

void termsafe_end(struct termsafe *t, struct buf *out)
{
    show_all(t, out);
    *t = (struct termsafe){0};
}
