// SPDX-License-Identifier: Apache-2.0
// "Did you mean": the candidates that are few typing errors away from a word.
#include "cmd/bryo/cli.h"
#include "internal/base/cleanup.h"
#include "internal/base/err.h"

#include <errno.h>
#include <string.h>

#define WORD_MAX  48
#define SHOWN_MAX 3

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
static size_t score(const char *word, const char *candidate)
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

static void list_nearest(const char *word, const char *const *candidates, size_t n, struct buf *out)
{
    size_t shown = 0;
    for (size_t want = 0; want < WORD_MAX && shown < SHOWN_MAX; want++) {
        for (size_t i = 0; i < n && shown < SHOWN_MAX; i++) {
            if (score(word, candidates[i]) == want) {
                buf_addf(out, "%s%s", shown ? " or " : "", candidates[i]);
                shown++;
            }
        }
    }
}

int cli_unknown(const char *what, const char *word, const char *const *candidates, size_t n,
                const char *path, struct err *err)
{
    AUTO_BUF struct buf near = {0};
    list_nearest(word, candidates, n, &near);
    err_set(err, EINVAL, "%s has no %s \"%s\"", path, what, word);
    if (near.len)
        return err_hint(err, "did you mean %s? \"%s --help\" lists them all", near.data, path);
    return err_hint(err, "\"%s --help\" lists them", path);
}
