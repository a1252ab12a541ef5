// SPDX-License-Identifier: Apache-2.0
// When a byte of a log was printed, by the marks beside it.
#include "internal/jobs/log_marks.h"

#include "tests/unit/tap.h"

int main(void)
{
    // two marks of one offset: nothing was printed between them
    static const struct log_mark first[] = {{10, 0}, {20, 5}};
    static const struct log_mark more[] = {{30, 5}, {25, 9}, {40, 100}};
    struct log_marks m = {0};
    is_int((intmax_t)log_marks_at(&m, 7), 0, "no mark tells nothing");
    log_marks_add(&m, first, 2);
    is_int((intmax_t)log_marks_at(&m, 0), 10, "the first byte");
    is_int((intmax_t)log_marks_at(&m, 4), 10, "the last one before a mark");
    is_int((intmax_t)log_marks_at(&m, 5), 20, "the first one at it");
    is_int((intmax_t)log_marks_at(&m, UINT64_MAX), 20, "what comes behind all of them");
    log_marks_add(&m, more, 3);
    is_int((intmax_t)log_marks_at(&m, 5), 30, "the last mark of an offset counts");
    is_int((intmax_t)log_marks_at(&m, 9), 25, "a clock that was set back is believed");
    is_int((intmax_t)log_marks_at(&m, 99), 25, "the last byte before the last mark");
    is_int((intmax_t)log_marks_at(&m, 100), 40, "the last mark");
    log_marks_done(&m);
    static const struct log_mark late[] = {{50, 8}};
    log_marks_add(&m, late, 1);
    is_int((intmax_t)log_marks_at(&m, 7), 0, "what was there before the first mark");
    log_marks_done(&m);
    return done_testing();
}
