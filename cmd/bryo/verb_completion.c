// SPDX-License-Identifier: Apache-2.0
#include "cmd/bryo/cli.h"
#include "cmd/bryo/completion.h"
#include "internal/base/cleanup.h"
#include "internal/base/err.h"

#include <errno.h>
#include <string.h>

typedef void completion_fn(const struct cli_verb *root, struct buf *out);

static completion_fn *find(const char *shell)
{
    static const struct {
        const char *name;
        completion_fn *fn;
    } shells[] = {{"bash", completion_bash}, {"zsh", completion_zsh}, {"fish", completion_fish}};
    for (size_t i = 0; i < sizeof(shells) / sizeof(shells[0]); i++)
        if (strcmp(shells[i].name, shell) == 0)
            return shells[i].fn;
    return NULL;
}

static int run(const struct cli_verb *verb, const struct invocation *inv, int argc, char **argv)
{
    (void)inv;
    AUTO_STRV struct strv words = {0};
    AUTO_BUF struct buf out = {0};
    struct err err = {0};
    int r = cli_parse(verb, argc, argv, NULL, &words, &err);
    completion_fn *fn = r == 0 && words.n == 1 ? find(words.v[0]) : NULL;
    if (r == 0 && !fn)
        r = err_set(&err, EINVAL, "%s needs one of bash, zsh, fish", verb->path);
    if (r < 0)
        return cli_fail(&err);
    if (fn)
        fn(&verb_bryo, &out);
    else
        cli_usage(verb, &out);
    return cli_print(&out);
}

const struct cli_verb verb_completion = {
    .name = "completion",
    .path = "bryo completion",
    .synopsis = "bash|zsh|fish",
    .summary = "print a completion script for a shell",
    .description = "Prints a completion script.\n\n"
                   "  bash: bryo completion bash >~/.local/share/bash-completion/completions/bryo\n"
                   "  zsh:  bryo completion zsh >_bryo, in a directory of $fpath\n"
                   "  fish: bryo completion fish >~/.config/fish/completions/bryo.fish",
    .words = CLI_SHELLS,
    .run = run,
};
