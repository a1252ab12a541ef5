// SPDX-License-Identifier: Apache-2.0
#include "internal/base/buf.h"
#include "internal/job/masker.h"
#include "internal/job/secret.h"
#include "tests/unit/tap.h"

static void build(struct masker *m, const char *const *words)
{
    *m = (struct masker){0};
    for (; *words; words++)
        masker_add(m, *words, strlen(*words));
    masker_build(m);
}

// The text in pieces of every size, without a pause.
static void check(const char *const *words, const char *in, const char *want, const char *what)
{
    struct masker m;
    bool same = true;
    build(&m, words);
    for (size_t step = 1; step <= strlen(in) + 1; step++) {
        AUTO_BUF struct buf out = {0};
        struct mask_stream s = {.m = &m};
        for (size_t at = 0; at < strlen(in); at += step)
            mask_feed(&s, in + at, strlen(in) - at < step ? strlen(in) - at : step, &out);
        mask_end(&s, &out);
        if (strcmp(buf_str(&out), want) != 0) {
            same = false;
            diag("in pieces of %zu: %s", step, buf_str(&out));
        }
        mask_stream_done(&s);
    }
    ok(same, "%s", what);
    masker_done(&m);
}

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void whole(void)
{
    check(WORDS("secret"), "", "", "nothing");
    check(WORDS("secret"), "plain text\n", "plain text\n", "no secret");
    check(WORDS("secret"), "a secret b", "a *** b", "one");
    check(WORDS("secret"), "secretsecret", "***", "one after the other is one");
    check(WORDS("secret"), "secret secret", "*** ***", "two");
    check(WORDS("secret"), "sesecret secre t", "se*** secre t", "beginnings that lead nowhere");
    check(WORDS("aab"), "aaaab", "aa***", "a beginning inside of a beginning");
    check(WORDS("abcd", "bc"), "xabcdx abcx", "x***x a***x", "one within the other");
    check(WORDS("abcd", "cdef"), "xabcdefx", "x***x", "overlapping ones are one");
    check(WORDS("he", "she", "hers", "his"), "ushers", "u***", "ends and beginnings shared");
    check(WORDS("a"), "banana", "b***n***n***", "one byte");
    check(WORDS("line1\nline2"), "line1\nline2\nline1\nx", "***\nline1\nx", "several lines");
    check(WORDS("\xff\xfe"), "\xff\xff\xfe.", "\xff***.", "any bytes");
    check(WORDS("secret"), "the se", "the se", "a short beginning at the end shows");
    check(WORDS("secret"), "the secr", "the ***", "a long one does not");
    check(WORDS("secret", "secrets-of-all-kinds"), "secrets-of!", "***s-of!",
          "the longer one fails");
}

static void pauses(void)
{
    struct masker m;
    build(&m, WORDS("password-of-the-day"));
    AUTO_BUF struct buf out = {0};
    struct mask_stream s = {.m = &m};
    mask_feed(&s, "login: pass", 11, &out);
    is_str(buf_str(&out), "login: ", "a possible beginning is held back");
    ok(mask_holds(&s), "which shows");
    mask_pause(&s, &out);
    is_str(buf_str(&out), "login: pass", "and let out after a while");
    ok(!mask_holds(&s), "all of it");
    mask_feed(&s, "word-of-the-day.", 16, &out);
    is_str(buf_str(&out), "login: pass***.", "what completes it is masked all the same");
    buf_clear(&out);
    mask_feed(&s, "password-of-t", 13, &out);
    mask_pause(&s, &out);
    is_str(buf_str(&out), "", "more than a few bytes wait, however long");
    mask_feed(&s, "he-day", 6, &out);
    is_str(buf_str(&out), "***", "until they are told");
    mask_stream_done(&s);
    masker_done(&m);
}

static void form(const char *value, const char *printed, const char *want, const char *what)
{
    struct secret secret = {0};
    struct masker m = {0};
    AUTO_BUF struct buf out = {0};
    ok(secret_set(&secret, "NAME", value, strlen(value), NULL) == 0, "%s: taken", what);
    secret_add_forms(&secret, &m);
    masker_build(&m);
    struct mask_stream s = {.m = &m};
    mask_feed(&s, printed, strlen(printed), &out);
    mask_end(&s, &out);
    is_str(buf_str(&out), want, "%s", what);
    mask_stream_done(&s);
    masker_done(&m);
    secret_done(&secret);
}

static void forms(void)
{
    form("hunter2", "hunter2\n", "***\n", "the value");
    form("hunter2\n", "is hunter2.", "is ***.", "a line end behind it is none of it");
    form("\n", "a\nb", "a***b", "unless it is all");
    form("first line\r\n  second line\n}\n", "first line, second line, }", "***, ***, }",
         "its lines");
    form("hunter2 is long", "aHVudGVyMiBpcyBsb25n", "***", "base64");
    form("hunter2 is long", "eGh1bnRlcjIgaXMgbG9uZw==", "eG***", "with a byte in front");
    form("hunter2 is long", "eHhodW50ZXIyIGlzIGxvbmc=", "eHh***", "with two");
    form("hunter2 is long", "aHVudGVyMiBpcyBsb25nIQ==", "***IQ==", "with one behind");
    form("\xfb\xff\xfe\xfb\xff\xfe", "-__--__-", "***", "base64 for URLs");
    form("0123456789012345678901234567890123456789012345678901234567890123456789",
         "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2\n"
         "Nzg5MDEyMzQ1Njc4OQ==\n",
         "***\n***\n", "base64 in lines");
    form("a\"b\\c\nd\x01", "{\"x\":\"a\\\"b\\\\c\\nd\\u0001\"}", "{\"x\":\"***\"}", "in JSON");
    form("p@ss word/1", "?t=p%40ss%20word%2F1&", "?t=***&", "percent-encoded");
    form("it's", "'it'\\''s'", "'***'", "quoted by a shell");
}

static void names(void)
{
    struct secret s = {0};
    static const char *const bad[] = {"", ".", "..", ".x", "-x", "a/b", "a b", "a=b", "\xc3\xbc"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        ok(secret_set(&s, bad[i], "v", 1, NULL) < 0, "\"%s\" is no name", bad[i]);
    ok(secret_set(&s, "A", "", 0, NULL) < 0, "nothing is no secret");
    ok(secret_set(&s, "a-B_9.txt", "v", 1, NULL) == 0, "a name");
    secret_done(&s);
    static char big[SECRET_MAX + 1];
    ok(secret_set(&s, "A", big, sizeof(big), NULL) < 0, "too much");
    ok(secret_set(&s, "A", big, sizeof(big) - 1, NULL) == 0, "just not");
    secret_done(&s);
}

int main(void)
{
    whole();
    pauses();
    forms();
    names();
    return done_testing();
}
