// SPDX-License-Identifier: Apache-2.0
// What is said of a word that is none: what stands for docker's, else "did you mean" the candidates
// that are few typing errors away.
#include "internal/base/nearest.h"
#include "cmd/bryo/cli.h"
#include "cmd/bryo/docker_words.h"
#include "internal/base/cleanup.h"
#include "internal/base/err.h"

#include <errno.h>
#include <string.h>

#define SHOWN_MAX 3

static void list_nearest(const char *word, const char *const *candidates, size_t n, struct buf *out)
{
    size_t shown = 0;
    for (size_t want = 0; want < NEAREST_FAR && shown < SHOWN_MAX; want++) {
        for (size_t i = 0; i < n && shown < SHOWN_MAX; i++) {
            if (nearest_score(word, candidates[i]) == want) {
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
    const char *instead = docker_word(path, word);
    list_nearest(word, candidates, n, &near);
    err_set(err, EINVAL, "%s has no %s \"%s\"", path, what, word);
    if (instead)
        return err_hint(err, "%s", instead);
    if (near.len)
        return err_hint(err, "did you mean %s? \"%s --help\" lists them all", near.data, path);
    return err_hint(err, "\"%s --help\" lists them", path);
}
