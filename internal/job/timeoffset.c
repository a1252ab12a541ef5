// SPDX-License-Identifier: Apache-2.0
#include "internal/job/timeoffset.h"

#include "internal/base/buf.h"
#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/base/parse.h"

#include <errno.h>
#include <string.h>

// KTIME_SEC_MAX / 2 of the kernel.
#define OFFSET_MAX_S (INT64_MAX / 1000000000 / 2)

static int parse_seconds(const char *text, int64_t *ret, struct err *err)
{
    uint64_t us = 0;
    int r = parse_duration(text + (*text == '-'), &us);
    if (r == -EINVAL || (r == 0 && us % 1000000 != 0))
        return err_set(err, EINVAL,
                       "\"%s\" is not a whole number of seconds, nor a duration such "
                       "as 12h or -1d",
                       text);
    if (r < 0 || us / 1000000 > OFFSET_MAX_S)
        return err_set(err, ERANGE, "\"%s\" is too far: the kernel takes about 146 years", text);
    *ret = (int64_t)(us / 1000000) * (*text == '-' ? -1 : 1);
    return 0;
}

static int parse_one(const char *part, struct time_offsets *ret, struct err *err)
{
    if (strncmp(part, "boottime=", 9) == 0)
        return parse_seconds(part + 9, &ret->boottime_s, err);
    if (strncmp(part, "monotonic=", 10) == 0)
        return parse_seconds(part + 10, &ret->monotonic_s, err);
    return err_set(err, EINVAL, "\"%s\" is not of the form boottime=SECS or monotonic=SECS", part);
}

int timeoffset_parse(const char *value, struct time_offsets *ret, struct err *err)
{
    struct time_offsets made = {0};
    for (const char *s = value;; s++) {
        const char *end = strchrnul(s, ',');
        AUTO_FREE char *part = str_dupn(s, (size_t)(end - s));
        int r = parse_one(part, &made, err);
        if (r < 0)
            return r;
        if (!*end)
            break;
        s = end;
    }
    *ret = made;
    return 0;
}
