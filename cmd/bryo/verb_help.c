// SPDX-License-Identifier: Apache-2.0
#include "cmd/bryo/cli.h"
#include "internal/base/cleanup.h"
#include "internal/base/err.h"

#include <errno.h>

enum help_form { HELP_USAGE, HELP_MAN, HELP_LIST };

static int set_man(void *ctx, const char *value, struct err *err)
{
    (void)value, (void)err;
    *(enum help_form *)ctx = HELP_MAN;
    return 0;
}

static int set_list(void *ctx, const char *value, struct err *err)
{
    (void)value, (void)err;
    *(enum help_form *)ctx = HELP_LIST;
    return 0;
}

static const struct cli_option options[] = {
    {"man", 0, NULL, "Options", "print the manual page as roff (bryo help --man run | man -l -)",
     CLI_NOTHING, NULL, set_man},
    {"list", 0, NULL, "Options", "print the names of the commands below this one, a line each",
     CLI_NOTHING, NULL, set_list},
};

// Follows the words from the root: "image", "ls".
static const struct cli_verb *find(const struct strv *words, struct err *err)
{
    const struct cli_verb *verb = &verb_bryo;
    for (size_t i = 0; i < words->n; i++) {
        const struct cli_verb *sub = cli_find(verb->subs, words->v[i]);
        if (!sub) {
            err_set(err, EINVAL, "%s has no command \"%s\"", verb->path, words->v[i]);
            return NULL;
        }
        verb = sub;
    }
    return verb;
}

static int run(const struct cli_verb *verb, const struct invocation *inv, int argc, char **argv)
{
    (void)inv;
    AUTO_STRV struct strv words = {0};
    AUTO_BUF struct buf out = {0};
    struct err err = {0};
    enum help_form form = HELP_USAGE;
    int r = cli_parse(verb, argc, argv, &form, &words, &err);
    if (r < 0)
        return cli_fail(&err);
    const struct cli_verb *about = r == CLI_HELP ? verb : find(&words, &err);
    if (!about)
        return cli_fail(&err);
    if (form == HELP_MAN)
        cli_man(about, &out);
    else if (form == HELP_USAGE)
        cli_usage(about, &out);
    for (const struct cli_verb *const *v = about->subs; form == HELP_LIST && v && *v; v++)
        buf_addf(&out, "%s\n", (*v)->name);
    return cli_print(&out);
}

const struct cli_verb verb_help = {
    .name = "help",
    .path = "bryo help",
    .synopsis = "[--man|--list] [COMMAND...]",
    .summary = "say what a command does, or print its manual page",
    .options = options,
    .n_options = sizeof(options) / sizeof(options[0]),
    .words = CLI_VERBS,
    .run = run,
};
