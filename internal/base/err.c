// SPDX-License-Identifier: Apache-2.0
#include "internal/base/err.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

const char *err_words(int num)
{
    // strerror(3) may load a translation, and so a file of the image; this one never does.
    const char *words = strerrordesc_np(num);
    return words ? words : "unknown error";
}

__attribute__((format(printf, 3, 0))) static void fill(struct err *e, int num, const char *fmt,
                                                       va_list ap)
{
    e->stage = 0;
    e->num = num > 0 ? num : EIO;
    e->hint[0] = '\0';
    (void)vsnprintf(e->text, sizeof(e->text), fmt, ap);
}

int err_set(struct err *e, int num, const char *fmt, ...)
{
    if (e) {
        va_list ap;
        va_start(ap, fmt);
        fill(e, num, fmt, ap);
        va_end(ap);
    }
    return num > 0 ? -num : -EIO;
}

int err_sys(struct err *e, int num, const char *fmt, ...)
{
    if (e) {
        va_list ap;
        va_start(ap, fmt);
        fill(e, num, fmt, ap);
        va_end(ap);
        size_t len = strlen(e->text);
        (void)snprintf(e->text + len, sizeof(e->text) - len, ": %s", err_words(e->num));
    }
    return num > 0 ? -num : -EIO;
}

int err_hint(struct err *e, const char *fmt, ...)
{
    if (!e)
        return -EIO;
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(e->hint, sizeof(e->hint), fmt, ap);
    va_end(ap);
    return -e->num;
}

int err_stage(struct err *e, int stage)
{
    if (!e)
        return -EIO;
    if (e->stage == 0)
        e->stage = stage;
    return -e->num;
}
