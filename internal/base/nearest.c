// SPDX-License-Identifier: Apache-2.0
#include "internal/base/nearest.h"

#include <string.h>

#define WORD_MAX NEAREST_FAR

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

// Insertions, deletions, replacements and swaps of neighbours (optimal string alignment) between a
// and b, both shorter than WORD_MAX.
static size_t distance(const char *a, const char *b)
{
    size_t row[3][WORD_MAX + 1];
    size_t m = strlen(a);
    size_t n = strlen(b);
    size_t *before = row[0];
    size_t *last = row[1];
    size_t *now = row[2];
    for (size_t j = 0; j <= n; j++) {
        before[j] = 0;
        last[j] = j;
    }
    for (size_t i = 1; i <= m; i++) {
        now[0] = i;
        for (size_t j = 1; j <= n; j++) {
            size_t change = a[i - 1] != b[j - 1];
            now[j] = least(least(last[j], now[j - 1]) + 1, last[j - 1] + change);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                now[j] = least(now[j], before[j - 2] + 1);
        }
        size_t *spare = before;
        before = last;
        last = now;
        now = spare;
    }
    return last[n];
}

// How far a candidate is; a beginning that fits counts as close ("--work" for "--workdir").
size_t nearest_score(const char *word, const char *candidate)
{
    size_t n = strlen(word);
    if (n > WORD_MAX || strlen(candidate) > WORD_MAX)
        return WORD_MAX;
    size_t bare = strspn(word, "-");
    if (n >= bare + 3 && strncmp(word, candidate, n) == 0)
        return 1;
    size_t far = distance(word, candidate);
    return n > bare + 1 && far <= (n - bare + 2) / 3 ? far : WORD_MAX;
}
