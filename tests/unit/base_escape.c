// SPDX-License-Identifier: Apache-2.0
#include "internal/base/buf.h"
#include "internal/base/escape.h"
#include "tests/unit/tap.h"

typedef void escape_fn(struct buf *b, const char *s, size_t n);

static void check(escape_fn *fn, const char *in, size_t n, const char *want, const char *what)
{
    AUTO_BUF struct buf b = {0};
    fn(&b, in, n);
    is_str(buf_str(&b), want, "%s", what);
}

// A literal may hold NUL bytes.
#define PLAIN(in, want, what) check(escape_add, in, sizeof(in) - 1, want, what)
#define JSON(in, want, what)  check(escape_add_json, in, sizeof(in) - 1, want, "JSON: " what)

static void line_text(void)
{
    PLAIN("", "", "nothing");
    PLAIN("usr/bin/env", "usr/bin/env", "a path");
    PLAIN("a\x1b[31mred", "a\\x1b[31mred", "an escape sequence");
    PLAIN("a\nb\r\tc\x7f", "a\\x0ab\\x0d\\x09c\\x7f", "control characters");
    PLAIN("a\0b", "a\\x00b", "a NUL byte");
    PLAIN("a\\b", "a\\\\b", "a backslash");
    PLAIN("gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f", "UTF-8 of two bytes");
    PLAIN("\xe2\x82\xac \xf0\x9f\x8c\xb1", "\xe2\x82\xac \xf0\x9f\x8c\xb1", "of three and four");
    PLAIN("\xc2\x9b\x31m", "\\xc2\\x9b1m", "U+009B, a control sequence introducer");
    PLAIN("\x9b", "\\x9b", "the same as a bare byte");
    PLAIN("\xc0\xaf", "\\xc0\\xaf", "an overlong slash");
    PLAIN("\xe0\x80\xaf", "\\xe0\\x80\\xaf", "a longer one");
    PLAIN("\xed\xa0\x80", "\\xed\\xa0\\x80", "a surrogate");
    PLAIN("\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80", "beyond U+10FFFF");
    PLAIN("\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf", "U+10FFFF");
    PLAIN("\xe2\x82", "\\xe2\\x82", "a sequence that is cut short");
    PLAIN("\xc3(", "\\xc3(", "a sequence that does not go on");
    PLAIN("::error::x", "\\x3a:error\\x3a:x", "a command to a CI machine");
    PLAIN(":::", "\\x3a\\x3a:", "three colons");
    PLAIN("a:b", "a:b", "one colon");
    PLAIN("##[group]", "\\x23#[group]", "a command of the other form");
    PLAIN("## [x]", "## [x]", "no command");
}

static void json_text(void)
{
    JSON("", "", "nothing");
    JSON("a\"b\\c", "a\\\"b\\\\c", "quote and backslash");
    JSON("a\n\x01\x7f", "a\\u000a\\u0001\\u007f", "control characters");
    JSON("a\0b", "a\\u0000b", "a NUL byte");
    JSON("\xc3\xbc", "\xc3\xbc", "UTF-8");
    JSON("\xc2\x9b\x31m\xc2\xa0", "\\u009b1m\xc2\xa0", "U+009B, and what is no control character");
    JSON("a##[group]", "a\\u0023#[group]", "a command to a CI machine");
    JSON("a::1", "a::1", "no command, since no line begins with it");
    JSON("\xff\xc0\xaf", "\\ufffd\\ufffd\\ufffd", "bytes that are no UTF-8");
    JSON("\xed\xa0\x80", "\\ufffd\\ufffd\\ufffd", "a surrogate");
}

int main(void)
{
    line_text();
    json_text();
    return done_testing();
}
