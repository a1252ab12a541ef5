// SPDX-License-Identifier: Apache-2.0
// bryo clean: files of subordinate ids become the user's again.
#include "cmd/bryo/cli.h"
#include "internal/base/buf.h"
#include "internal/base/err.h"
#include "internal/base/log.h"
#include "internal/roots/clean.h"

#include <errno.h>
#include <inttypes.h>

static int clean(const struct cleaner *c, const char *dir, struct err *err)
{
    struct handback_result done;
    int r = cleaner_clean(c, dir, &done, err);
    if (r < 0)
        return r;
    if (done.n)
        log_note("%s: %" PRIu64 " files and directories are yours again", dir, done.n);
    if (done.left)
        r = err_set(err, EPERM, "%s: %" PRIu64 " files could not be given back", dir, done.left);
    return r;
}

static int run(const struct cli_verb *verb, const struct invocation *inv, int argc, char **argv)
{
    AUTO_STRV struct strv words = {0};
    struct cleaner c = {0};
    struct err err = {0};
    int status = 0;
    if (cli_begin(verb, argc, argv, NULL, 1, SIZE_MAX, &words, &status) != CLI_PARSED)
        return status;
    int r = cleaner_init(inv->envp, &c, &err);
    if (r == 0 && !cleaner_has_ids(&c))
        log_note("this user has no subordinate ids here: there is nothing to give back");
    for (size_t i = 0; i < words.n && r == 0; i++)
        r = clean(&c, words.v[i], &err);
    cleaner_done(&c);
    return r < 0 ? cli_fail(&err) : 0;
}

const struct cli_verb verb_clean = {
    .name = "clean",
    .path = "bryo clean",
    .synopsis = "DIR...",
    .summary = "give files of subordinate ids back to the user",
    .description =
        "A job with subordinate ids may leave files that belong to one of them, and that the user "
        "can then neither change nor remove. This makes them the user's, in DIR and all below it, "
        "as the end of a job does for what the job itself left in its workspace. It is needed "
        "where bryo was killed, or a job wrote to another directory (-v).\n\n"
        "Links are not followed, file systems that are mounted below DIR and bryo's own store are "
        "passed over. An unpacked root file system in DIR loses the owners of its files.",
    .words = CLI_DIRS,
    .run = run,
};
