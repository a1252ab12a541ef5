// SPDX-License-Identifier: Apache-2.0
// A growing byte buffer and a growing list of strings.
//
// Running out of memory is not a state that callers can do anything about: buf_* and strv_* then
// write one line to stderr and leave with status 125 (_exit), on either side of the namespaces.
#ifndef BRYO_BASE_BUF_H
#define BRYO_BASE_BUF_H

#include "internal/base/cleanup.h"

#include <stdarg.h>
#include <stddef.h>

struct buf {
    char *data; // always NUL-terminated once something was added; NULL before
    size_t len; // bytes, without that NUL
    size_t cap;
};

void buf_add(struct buf *b, const void *bytes, size_t n);
void buf_addc(struct buf *b, char c);
void buf_adds(struct buf *b, const char *s);
void buf_addf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_vaddf(struct buf *b, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));

// Makes room for n more bytes and returns where they go; the caller then adds to len itself.
char *buf_reserve(struct buf *b, size_t n);
void buf_clear(struct buf *b);            // len = 0, memory kept
void buf_done(struct buf *b);             // frees; may be called on a zeroed struct
const char *buf_str(const struct buf *b); // "" when nothing was added
char *buf_take(struct buf *b);            // the caller owns the string; the buffer is empty again

#define AUTO_BUF AUTO(buf_done)

struct strv {
    char **v; // n strings, each owned, then NULL; v itself is NULL while n is 0
    size_t n;
};

void strv_add(struct strv *s, const char *str); // copies
void strv_addf(struct strv *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void strv_take(struct strv *s, char *str); // takes ownership
void strv_done(struct strv *s);

#define AUTO_STRV AUTO(strv_done)

// malloc(3) family with the same promise.
void *mem_alloc(size_t n); // zeroed
void *mem_grow(void *p, size_t count, size_t size);
char *str_dup(const char *s);
char *str_dupn(const char *s, size_t n);
char *str_fmt(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
