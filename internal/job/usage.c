// SPDX-License-Identifier: Apache-2.0
#include "internal/job/usage.h"

#include "internal/base/parse.h"

#include <string.h>

const char *const usage_files[] = {
    "cpu.stat",
    "memory.current",
    "memory.peak",
    "memory.swap.current",
    "memory.swap.peak",
    "memory.max",
    "memory.stat",
    "memory.events",
    "memory.events.local",
    "pids.current",
    "pids.peak",
    "pids.events",
    "io.stat",
    "cpu.pressure",
    "memory.pressure",
    "io.pressure",
    NULL,
};

void usage_init(struct usage *u)
{
#define USAGE_CLEAR(name, file, key) u->name = USAGE_UNKNOWN;
    USAGE_FIGURES(USAGE_CLEAR)
    USAGE_SUMS(USAGE_CLEAR)
    USAGE_STALLS(USAGE_CLEAR)
#undef USAGE_CLEAR
}

// The digits at s, which end at a blank or at the end; USAGE_UNKNOWN where there are none.
static uint64_t number_at(const char *s)
{
    uint64_t n = USAGE_UNKNOWN;
    size_t digits = strspn(s, "0123456789");
    if (!strchr(" \n", s[digits]) || parse_u64n(s, digits, 0, UINT64_MAX, &n) < 0)
        return USAGE_UNKNOWN;
    return n;
}

uint64_t usage_keyed(const char *text, const char *key)
{
    size_t n = strlen(key);
    for (const char *line = text; *line;) {
        if (strncmp(line, key, n) == 0 && line[n] == ' ')
            return number_at(line + n + 1);
        line += strcspn(line, "\n");
        line += *line == '\n';
    }
    return USAGE_UNKNOWN;
}

// The sum of all "key=N"; a file without a line (no device was used yet) is a sum of nothing: 0.
static uint64_t summed(const char *text, const char *key)
{
    uint64_t sum = 0;
    size_t n = strlen(key);
    for (const char *at = text; (at = strstr(at, key)); at += n) {
        if (at[n] != '=' || at == text || at[-1] != ' ')
            continue;
        uint64_t value = number_at(at + n + 1);
        if (value == USAGE_UNKNOWN || __builtin_add_overflow(sum, value, &sum))
            return USAGE_UNKNOWN;
    }
    return sum;
}

// "some avg10=0.00 avg60=0.00 avg300=0.00 total=123"
static uint64_t stall(const char *text, const char *kind)
{
    size_t n = strlen(kind);
    const char *total =
        strncmp(text, kind, n) == 0 && text[n] == ' ' ? strstr(text, " total=") : NULL;
    return total ? number_at(total + 7) : USAGE_UNKNOWN;
}

void usage_parse(struct usage *u, const char *file, const char *text)
{
#define USAGE_TAKE(name, of, key) \
    if (strcmp(file, of) == 0)    \
        u->name = *(key) ? usage_keyed(text, key) : number_at(text);
#define USAGE_SUM(name, of, key) \
    if (strcmp(file, of) == 0)   \
        u->name = summed(text, key);
#define USAGE_STALL(name, of, key) \
    if (strcmp(file, of) == 0)     \
        u->name = stall(text, key);
    USAGE_FIGURES(USAGE_TAKE)
    USAGE_SUMS(USAGE_SUM)
    USAGE_STALLS(USAGE_STALL)
#undef USAGE_TAKE
#undef USAGE_SUM
#undef USAGE_STALL
}
