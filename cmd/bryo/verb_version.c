// SPDX-License-Identifier: Apache-2.0
#include "cmd/bryo/cli.h"
#include "cmd/bryo/version.h"
#include "internal/base/cleanup.h"
#include "internal/base/err.h"

#include <errno.h>

static int run(const struct cli_verb *verb, const struct invocation *inv, int argc, char **argv)
{
    (void)inv;
    AUTO_STRV struct strv words = {0};
    AUTO_BUF struct buf out = {0};
    struct err err = {0};
    int r = cli_parse(verb, argc, argv, NULL, &words, &err);
    if (r == 0 && words.n)
        r = err_set(&err, EINVAL, "%s takes no argument: \"%s\"", verb->path, words.v[0]);
    if (r < 0)
        return cli_fail(&err);
    if (r == CLI_HELP)
        cli_usage(verb, &out);
    else
        buf_adds(&out, "bryo " BRYO_VERSION "\n");
    return cli_print(&out);
}

const struct cli_verb verb_version = {
    .name = "version",
    .path = "bryo version",
    .synopsis = "",
    .summary = "print the version",
    .run = run,
};
