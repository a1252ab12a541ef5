// SPDX-License-Identifier: Apache-2.0
// Shaping: --net-rate, --net-delay, --net-loss. The units are those of tc(8).
#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/base/parse.h"
#include "internal/job/netopts.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#define RATE_MIN     8000ULL          // a thousand bytes a second
#define RATE_MAX     1000000000000ULL // 1 Tbit/s
#define DELAY_MAX_US (60 * 1000000ULL)

// Digits with an optional fraction of up to six digits, in millionths.
static int read_decimal(const char *s, size_t n, uint64_t max, uint64_t *ret)
{
    const char *dot = memchr(s, '.', n);
    size_t whole_len = dot ? (size_t)(dot - s) : n;
    size_t part_len = dot ? n - whole_len - 1 : 0;
    uint64_t whole = 0;
    uint64_t part = 0;
    if (parse_u64n(s, whole_len, 0, max, &whole) < 0 || (dot && (part_len == 0 || part_len > 6)) ||
        (dot && parse_u64n(dot + 1, part_len, 0, 999999, &part) < 0))
        return -EINVAL;
    for (size_t i = part_len; i < 6 && dot; i++)
        part *= 10;
    *ret = whole * 1000000 + part;
    return 0;
}

int net_opt_rate(struct net_opts *o, const char *value, struct err *err)
{
    static const struct {
        const char *unit;
        uint64_t bits;
    } units[] = {
        {"bit", 1},         {"kbit", 1000},     {"mbit", 1000000},  {"gbit", 1000000000},
        {"bps", 8},         {"kbps", 8000},     {"mbps", 8000000},  {"gbps", 8000000000},
        {"kibit", 1 << 10}, {"mibit", 1 << 20}, {"gibit", 1 << 30},
    };
    size_t n = strspn(value, "0123456789.");
    uint64_t millionths = 0;
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (strcasecmp(value + n, units[i].unit) != 0 ||
            read_decimal(value, n, RATE_MAX, &millionths) < 0)
            continue;
        unsigned __int128 bits = (unsigned __int128)millionths * units[i].bits / 1000000;
        if (bits < RATE_MIN || bits > RATE_MAX)
            return err_set(err, ERANGE, "\"%s\" is not between 8kbit and 1000gbit", value);
        o->rate_bps = (uint64_t)bits;
        return 0;
    }
    (void)err_set(err, EINVAL, "\"%s\" is not a rate such as 10mbit, 800kbit or 1.5gbit", value);
    return err_hint(err, "as tc(8) has them: kbit, mbit and gbit are bits a second, kbps, mbps and "
                         "gbps bytes a second");
}

int net_opt_delay(struct net_opts *o, const char *value, struct err *err)
{
    AUTO_FREE char *delay_text = str_dupn(value, strcspn(value, ","));
    const char *comma = strchr(value, ',');
    uint64_t delay = 0;
    uint64_t jitter = 0;
    if (parse_duration(delay_text, &delay) < 0 || (comma && parse_duration(comma + 1, &jitter) < 0))
        return err_set(err, EINVAL, "\"%s\" is not a duration such as 20ms, or two: 20ms,5ms",
                       value);
    if (delay > DELAY_MAX_US)
        return err_set(err, ERANGE, "\"%s\" is more than a minute", value);
    if (jitter > delay)
        return err_set(err, EINVAL, "\"%s\": the jitter is more than the delay", value);
    o->delay_us = delay;
    o->jitter_us = jitter;
    return 0;
}

int net_opt_loss(struct net_opts *o, const char *value, struct err *err)
{
    size_t n = strspn(value, "0123456789.");
    uint64_t millionths = 0;
    if (strcmp(value + n, "%") != 0 || read_decimal(value, n, 100, &millionths) < 0 ||
        millionths > 100000000)
        return err_set(err, EINVAL, "\"%s\" is not a share such as 1%% or 0.5%%", value);
    o->loss_ppm = (uint32_t)(millionths / 100);
    return 0;
}
