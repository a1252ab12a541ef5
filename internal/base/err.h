// SPDX-License-Identifier: Apache-2.0
// One failure, as data: where it happened, what the kernel said, what was tried, what to do.
//
// The struct has no pointers and a fixed size, so it crosses from inside the namespaces to the
// launcher in one datagram. Library code fills it and returns; only cmd/ prints it.
#ifndef BRYO_BASE_ERR_H
#define BRYO_BASE_ERR_H

#include <stdarg.h>

struct err {
    int stage;      // what was being done; the numbers belong to internal/job/stage.h; 0: not said
    int num;        // errno value, > 0 once a failure is recorded; 0: none
    char text[512]; // what was tried and what came of it, one line, no trailing newline
    char hint[512]; // what to do about it; "" when there is nothing to advise
};

// Records a failure whose text says all there is to say. Returns -num.
// An earlier failure in *e is replaced, its stage too. e may be NULL: only the value is returned.
int err_set(struct err *e, int num, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

// The same, with ": " and the kernel's words for num appended (untranslated; strerrordesc_np(3)).
int err_sys(struct err *e, int num, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

// Adds the remedy. Returns -e->num, so that "return err_hint(...)" ends a failing branch.
int err_hint(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

// Says at which stage it happened, unless something deeper said so already. Returns -e->num.
int err_stage(struct err *e, int stage);

// The kernel's words for an errno value; never NULL, never translated.
const char *err_words(int num);

#endif
