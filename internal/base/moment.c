// SPDX-License-Identifier: Apache-2.0
#include "internal/base/moment.h"

#include "internal/base/parse.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define SECOND UINT64_C(1000000)

// So many digits.
static bool take(const char **s, int digits, int least, int most, int *ret)
{
    int n = 0;
    for (int i = 0; i < digits; i++) {
        if ((*s)[i] < '0' || (*s)[i] > '9')
            return false;
        n = n * 10 + ((*s)[i] - '0');
    }
    *s += digits;
    *ret = n;
    return n >= least && n <= most;
}

static bool take_char(const char **s, char c)
{
    bool is = **s == c;
    *s += is;
    return is;
}

// ".5"; digits behind the sixth count for nothing.
static bool take_fraction(const char **s, uint64_t *ret_us)
{
    uint64_t unit = SECOND / 10;
    *ret_us = 0;
    if (!take_char(s, '.'))
        return true;
    if (**s < '0' || **s > '9')
        return false;
    for (; **s >= '0' && **s <= '9'; (*s)++, unit /= 10)
        *ret_us += unit * (uint64_t)(**s - '0');
    return true;
}

// "Z", "+02:00"; nothing: the machine's own.
static bool take_zone(const char **s, bool *ret_local, long *ret_seconds)
{
    int hours = 0;
    int minutes = 0;
    *ret_local = !**s;
    *ret_seconds = 0;
    if (*ret_local || take_char(s, 'Z'))
        return true;
    long sign = **s == '-' ? -1 : 1;
    if (!take_char(s, '-') && !take_char(s, '+'))
        return false;
    if (!take(s, 2, 0, 23, &hours) || !take_char(s, ':') || !take(s, 2, 0, 59, &minutes))
        return false;
    *ret_seconds = sign * (hours * 3600L + minutes * 60L);
    return true;
}

// RFC 3339, and its beginnings.
static int parse_date(const char *s, uint64_t *ret_us)
{
    struct tm tm = {.tm_isdst = -1};
    uint64_t fraction = 0;
    bool local = false;
    long zone = 0;
    if (!take(&s, 4, 1970, 9999, &tm.tm_year) || !take_char(&s, '-') ||
        !take(&s, 2, 1, 12, &tm.tm_mon) || !take_char(&s, '-') || !take(&s, 2, 1, 31, &tm.tm_mday))
        return -EINVAL;
    if (take_char(&s, 'T')) {
        if (!take(&s, 2, 0, 23, &tm.tm_hour) || !take_char(&s, ':') ||
            !take(&s, 2, 0, 59, &tm.tm_min))
            return -EINVAL;
        if (take_char(&s, ':') &&
            (!take(&s, 2, 0, 60, &tm.tm_sec) || !take_fraction(&s, &fraction)))
            return -EINVAL;
    }
    if (!take_zone(&s, &local, &zone) || *s)
        return -EINVAL;
    tm.tm_year -= 1900;
    tm.tm_mon--;
    int day = tm.tm_mday;
    time_t t = local ? mktime(&tm) : timegm(&tm);
    if (tm.tm_mday != day) // the 30th of February
        return -EINVAL;
    t -= zone;
    if (t < 0)
        return -ERANGE;
    *ret_us = (uint64_t)t * SECOND + fraction;
    return 0;
}

int parse_moment(const char *s, uint64_t now_us, uint64_t *ret_us)
{
    uint64_t us = 0;
    if (strlen(s) > 4 && s[4] == '-')
        return parse_date(s, ret_us);
    int r = parse_duration(s, &us); // and seconds: a number without a unit
    if (r < 0)
        return r;
    if (s[strspn(s, "0123456789.")])
        us = us < now_us ? now_us - us : 0;
    *ret_us = us;
    return 0;
}

const char *moment_format(uint64_t us, char *ret)
{
    time_t t = (time_t)(us / SECOND);
    struct tm tm;
    char date[32] = "";
    if (gmtime_r(&t, &tm))
        (void)strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm);
    (void)snprintf(ret, MOMENT_TEXT, "%s.%03uZ", date, (unsigned)(us % SECOND / 1000));
    return ret;
}
