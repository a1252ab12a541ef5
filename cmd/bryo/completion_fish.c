// SPDX-License-Identifier: Apache-2.0
#include "cmd/bryo/cli.h"
#include "cmd/bryo/completion.h"
#include "internal/base/cleanup.h"

#include <string.h>

static const char prologue[] =
    "# fish completion for bryo\n"
    "# Whether the words behind bryo begin with these (and are these alone: -x).\n"
    "function __bryo_at\n"
    "    set -l words (commandline -opc)\n"
    "    set -e words[1]\n"
    "    if test \"$argv[1]\" = -x\n"
    "        set -e argv[1]\n"
    "        test (count $words) -eq (count $argv); or return 1\n"
    "    end\n"
    "    for i in (seq (count $argv))\n"
    "        test \"$words[$i]\" = \"$argv[$i]\"; or return 1\n"
    "    end\n"
    "end\n"
    "complete -c bryo -f\n";

static void add_quoted(struct buf *out, const char *s)
{
    buf_addc(out, '\'');
    for (; *s; s++) {
        if (*s == '\'' || *s == '\\')
            buf_addc(out, '\\');
        buf_addc(out, *s);
    }
    buf_addc(out, '\'');
}

// complete -c bryo -n '__bryo_at image ls'
static void add_start(struct buf *out, const struct cli_verb *verb, const char *flag)
{
    buf_addf(out, "complete -c bryo -n '__bryo_at%s%s'", flag, verb->path + strlen("bryo"));
}

static void add_action(struct buf *out, enum cli_words words)
{
    static const char *const actions[] = {
        [CLI_NOTHING] = "",
        [CLI_FILES] = " -F",
        [CLI_DIRS] = " -a '(__fish_complete_directories)'",
        [CLI_IMAGES] = " -a '(bryo image ls -q 2>/dev/null)'",
        [CLI_JOBS] = " -a '(bryo ps -a --names 2>/dev/null)'",
        [CLI_COMMAND] = " -F -a '(__fish_complete_command)'",
        [CLI_VERBS] = "",
        [CLI_SHELLS] = " -a 'bash zsh fish'",
    };
    buf_adds(out, actions[words]);
    if (words == CLI_VERBS) {
        buf_adds(out, " -a '");
        for (const struct cli_verb *const *v = verb_bryo.subs; *v; v++)
            buf_addf(out, "%s ", (*v)->name);
        buf_adds(out, "'");
    }
}

static void add_option(struct buf *out, const struct cli_verb *verb, const struct cli_option *o)
{
    AUTO_BUF struct buf choices = {0};
    add_start(out, verb, "");
    buf_addf(out, " -l %s", o->name);
    if (o->letter)
        buf_addf(out, " -s %c", o->letter);
    if (cli_needs_value(o)) {
        buf_adds(out, " -r");
        if (completion_choices(o, &choices))
            buf_addf(out, " -a '%s'", choices.data);
        else
            add_action(out, o->words);
    }
    buf_adds(out, " -d ");
    add_quoted(out, o->help);
    buf_addc(out, '\n');
}

static void add_verb(struct buf *out, const struct cli_verb *verb)
{
    for (const struct cli_verb *const *v = verb->subs; v && *v; v++) {
        add_start(out, verb, " -x");
        buf_addf(out, " -a %s -d ", (*v)->name);
        add_quoted(out, (*v)->summary);
        buf_addc(out, '\n');
        add_verb(out, *v);
    }
    for (size_t i = 0; i < verb->n_options; i++)
        add_option(out, verb, &verb->options[i]);
    if (!verb->subs) {
        add_start(out, verb, "");
        buf_adds(out, " -l help -d 'say how it is used'\n");
        if (verb->words != CLI_NOTHING) {
            add_start(out, verb, "");
            add_action(out, verb->words);
            // behind a job comes a command, which may be anything
            buf_adds(out, verb->words == CLI_JOBS && verb->options_first ? " -F\n" : "\n");
        }
    }
}

void completion_fish(const struct cli_verb *root, struct buf *out)
{
    buf_adds(out, prologue);
    add_verb(out, root);
}
