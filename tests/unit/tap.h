// SPDX-License-Identifier: Apache-2.0
// Test Anything Protocol for unit tests in C. One test program is one C file:
//
//     int main(void)
//     {
//         plan(2);                              // or leave it out: done_testing() prints it
//         ok(2 + 2 == 4, "sums");
//         is_str(name, "bryo", "name of %d", i);
//         return done_testing();
//     }
//
// Every check returns whether it passed and prints what it got when it did not. The program's exit
// status is 0 only when all passed and as many ran as were planned; a program that dies before
// done_testing() has printed no plan, or too few tests, and is a failure for the runner.
#ifndef BRYO_TESTS_TAP_H
#define BRYO_TESTS_TAP_H

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static struct {
    unsigned planned;
    unsigned ran;
    unsigned failed;
} tap;

__attribute__((unused)) static void plan(unsigned n)
{
    // Line by line: what was printed before a crash is not lost, and a fork does not print it
    // twice.
    setvbuf(stdout, NULL, _IOLBF, 0);
    tap.planned = n;
    printf("1..%u\n", n);
}

// A line of explanation; no part of the protocol's verdict.
__attribute__((unused, format(printf, 1, 2))) static void diag(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    printf("# ");
    vprintf(fmt, ap);
    printf("\n");
    va_end(ap);
}

__attribute__((format(printf, 4, 0))) static bool tap_report(bool passed, const char *file,
                                                             int line, const char *fmt, va_list ap)
{
    if (tap.ran == 0)
        setvbuf(stdout, NULL, _IOLBF, 0);
    printf("%s %u - ", passed ? "ok" : "not ok", ++tap.ran);
    vprintf(fmt, ap);
    printf("\n");
    if (!passed) {
        tap.failed++;
        printf("#   failed at %s:%d\n", file, line);
    }
    return passed;
}

__attribute__((unused, format(printf, 4, 5))) static bool tap_ok(bool passed, const char *file,
                                                                 int line, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    tap_report(passed, file, line, fmt, ap);
    va_end(ap);
    return passed;
}

__attribute__((unused)) static void tap_print_quoted(const char *label, const char *s)
{
    printf("#   %s: ", label);
    if (!s) {
        printf("NULL\n");
        return;
    }
    putchar('"');
    for (; *s; s++) {
        unsigned char c = (unsigned char)*s;
        if (c < 0x20 || c == 0x7f || c == '"' || c == '\\')
            printf("\\x%02x", c);
        else
            putchar(c);
    }
    printf("\"\n");
}

__attribute__((unused, format(printf, 5, 6))) static bool tap_is_str(const char *got,
                                                                     const char *want,
                                                                     const char *file, int line,
                                                                     const char *fmt, ...)
{
    bool same = got && want ? strcmp(got, want) == 0 : got == want;
    va_list ap;
    va_start(ap, fmt);
    tap_report(same, file, line, fmt, ap);
    va_end(ap);
    if (!same) {
        tap_print_quoted("got", got);
        tap_print_quoted("expected", want);
    }
    return same;
}

__attribute__((unused, format(printf, 5, 6))) static bool tap_is_int(intmax_t got, intmax_t want,
                                                                     const char *file, int line,
                                                                     const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    tap_report(got == want, file, line, fmt, ap);
    va_end(ap);
    if (got != want)
        printf("#   got: %jd\n#   expected: %jd\n", got, want);
    return got == want;
}

// For what cannot be tried here; the runner accepts it only when tests/skips.txt lists the reason.
__attribute__((unused)) static void skip(unsigned n, const char *reason)
{
    for (unsigned i = 0; i < n; i++)
        printf("ok %u # SKIP %s\n", ++tap.ran, reason);
}

// Prints the plan if there was none; returns main()'s exit status.
__attribute__((unused)) static int done_testing(void)
{
    if (tap.planned == 0) {
        tap.planned = tap.ran;
        printf("1..%u\n", tap.ran);
    }
    if (tap.ran != tap.planned)
        printf("# planned %u tests but ran %u\n", tap.planned, tap.ran);
    return tap.failed == 0 && tap.ran == tap.planned && tap.ran > 0 ? 0 : 1;
}

#define ok(cond, ...)          tap_ok((cond), __FILE__, __LINE__, __VA_ARGS__)
#define is_str(got, want, ...) tap_is_str((got), (want), __FILE__, __LINE__, __VA_ARGS__)
#define is_int(got, want, ...) \
    tap_is_int((intmax_t)(got), (intmax_t)(want), __FILE__, __LINE__, __VA_ARGS__)

#endif
