// SPDX-License-Identifier: Apache-2.0
#include "internal/base/log.h"

#include "internal/base/buf.h"
#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/base/escape.h"

#include <stdarg.h>
#include <string.h>
#include <unistd.h>

static enum log_level current_level = LOG_NORMAL;

void log_set_level(enum log_level level)
{
    current_level = level;
}

enum log_level log_get_level(void)
{
    return current_level;
}

static void put_line(const char *text, size_t n)
{
    AUTO_BUF struct buf line = {0};
    buf_adds(&line, "bryo: ");
    escape_add(&line, text, n);
    buf_addc(&line, '\n');
    ssize_t written = write(STDERR_FILENO, line.data, line.len);
    (void)written; // nobody is left to tell
}

static void put(const char *fmt, va_list ap) __attribute__((format(printf, 1, 0)));

static void put(const char *fmt, va_list ap)
{
    AUTO_BUF struct buf text = {0};
    buf_vaddf(&text, fmt, ap);
    put_line(buf_str(&text), text.len);
}

void log_err(const struct err *e)
{
    put_line(e->text, strlen(e->text));
    if (e->hint[0])
        put_line(e->hint, strlen(e->hint));
}

void log_warn(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    put(fmt, ap);
    va_end(ap);
}

void log_note(const char *fmt, ...)
{
    if (current_level < LOG_NORMAL)
        return;
    va_list ap;
    va_start(ap, fmt);
    put(fmt, ap);
    va_end(ap);
}

void log_verbose(const char *fmt, ...)
{
    if (current_level < LOG_VERBOSE)
        return;
    va_list ap;
    va_start(ap, fmt);
    put(fmt, ap);
    va_end(ap);
}
