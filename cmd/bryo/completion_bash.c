// SPDX-License-Identifier: Apache-2.0
#include "cmd/bryo/cli.h"
#include "cmd/bryo/completion.h"
#include "internal/base/cleanup.h"

// Helpers of the script. Names with blanks in them stay whole: mapfile, not word splitting.
static const char prologue[] =
    "# bash completion for bryo\n"
    "_bryo_words() { mapfile -t COMPREPLY < <(compgen -W \"$1\" -- \"$cur\"); }\n"
    "_bryo_files() { compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- \"$cur\"); }\n"
    "_bryo_dirs() { compopt -o filenames; mapfile -t COMPREPLY < <(compgen -d -- \"$cur\"); }\n"
    "_bryo_jobs() { _bryo_words \"$(bryo ps -a --names 2>/dev/null)\"; }\n"
    "_bryo_images() { _bryo_words \"$(bryo image ls -q 2>/dev/null)\"; }\n"
    "_bryo_command() {\n"
    "    if [ \"$1\" -ge \"$COMP_CWORD\" ]; then\n"
    "        mapfile -t COMPREPLY < <(compgen -c -f -- \"$cur\")\n"
    "    else\n"
    "        _bryo_files\n"
    "    fi\n"
    "}\n"
    "# Where the first word that is no option stands, from $1 on; $2 lists the options with "
    "values.\n"
    "_bryo_first() {\n"
    "    local i=$1\n"
    "    while [ \"$i\" -lt \"$COMP_CWORD\" ]; do\n"
    "        case ${COMP_WORDS[i]} in\n"
    "        --) i=$((i + 1)); break ;;\n"
    "        -*)\n"
    "            if [ \"${COMP_WORDS[i + 1]}\" = \"=\" ]; then\n"
    "                i=$((i + 2))\n"
    "            elif [[ \" $2 \" == *\" ${COMP_WORDS[i]} \"* ]]; then\n"
    "                i=$((i + 1))\n"
    "            fi ;;\n"
    "        *) break ;;\n"
    "        esac\n"
    "        i=$((i + 1))\n"
    "    done\n"
    "    first=$i\n"
    "}\n";

static const char epilogue[] =
    "_bryo_start() {\n"
    "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} first\n"
    "    COMPREPLY=()\n"
    "    # --name=value arrives as three words.\n"
    "    if [ \"$cur\" = \"=\" ]; then\n"
    "        cur=\n"
    "    elif [ \"$prev\" = \"=\" ]; then\n"
    "        prev=${COMP_WORDS[COMP_CWORD - 2]}\n"
    "    fi\n"
    "    _bryo_at_bryo 1\n"
    "}\n"
    "complete -F _bryo_start bryo\n";

static void add_words_action(struct buf *out, enum cli_words words)
{
    switch (words) {
    case CLI_NOTHING:
        buf_adds(out, ":");
        break;
    case CLI_FILES:
        buf_adds(out, "_bryo_files");
        break;
    case CLI_DIRS:
        buf_adds(out, "_bryo_dirs");
        break;
    case CLI_IMAGES:
        buf_adds(out, "_bryo_images");
        break;
    case CLI_JOBS:
        buf_adds(out, "_bryo_jobs");
        break;
    case CLI_COMMAND:
        buf_adds(out, "_bryo_command \"$first\"");
        break;
    case CLI_VERBS:
        buf_adds(out, "_bryo_words \"");
        for (const struct cli_verb *const *v = verb_bryo.subs; *v; v++)
            buf_addf(out, "%s ", (*v)->name);
        buf_adds(out, "\"");
        break;
    case CLI_SHELLS:
        buf_adds(out, "_bryo_words \"bash zsh fish\"");
        break;
    }
}

static void add_names(struct buf *out, const struct cli_option *o, const char *between)
{
    if (o->letter)
        buf_addf(out, "-%c%s", o->letter, between);
    buf_addf(out, "--%s", o->name);
}

static void add_value_cases(struct buf *out, const struct cli_verb *verb)
{
    buf_adds(out, "    case $prev in\n");
    for (size_t i = 0; i < verb->n_options; i++) {
        const struct cli_option *o = &verb->options[i];
        AUTO_BUF struct buf choices = {0};
        if (!cli_needs_value(o))
            continue;
        buf_adds(out, "    ");
        add_names(out, o, " | ");
        buf_adds(out, ") ");
        if (completion_choices(o, &choices))
            buf_addf(out, "_bryo_words \"%s\"", choices.data);
        else
            add_words_action(out, o->words);
        buf_adds(out, "; return ;;\n");
    }
    buf_adds(out, "    esac\n");
}

static void add_valued(struct buf *out, const struct cli_verb *verb)
{
    for (size_t i = 0; i < verb->n_options; i++) {
        if (cli_needs_value(&verb->options[i])) {
            add_names(out, &verb->options[i], " ");
            buf_addc(out, ' ');
        }
    }
}

// _bryo_at_PATH N: completes what stands behind the verb, whose words begin at N.
static void add_leaf(struct buf *out, const struct cli_verb *verb)
{
    buf_adds(out, "    _bryo_first \"$1\" \"");
    add_valued(out, verb);
    buf_adds(out, "\"\n");
    if (verb->options_first)
        buf_adds(out, "    if [ \"$first\" -lt \"$COMP_CWORD\" ]; then\n        ");
    if (verb->options_first) { // behind a job comes a command
        if (verb->words == CLI_JOBS)
            buf_adds(out, "_bryo_command \"$((first + 1))\"");
        else
            add_words_action(out, verb->words);
        buf_adds(out, "\n        return\n    fi\n");
    }
    add_value_cases(out, verb);
    buf_adds(out, "    case $cur in\n    -*) _bryo_words \"--help ");
    for (size_t i = 0; i < verb->n_options; i++)
        buf_addf(out, "--%s ", verb->options[i].name);
    buf_adds(out, "\" ;;\n    *) ");
    add_words_action(out, verb->words);
    buf_adds(out, " ;;\n    esac\n");
}

static void add_parent(struct buf *out, const struct cli_verb *verb)
{
    buf_adds(out, "    if [ \"$COMP_CWORD\" -le \"$1\" ]; then\n        _bryo_words \"");
    for (const struct cli_verb *const *v = verb->subs; *v; v++)
        buf_addf(out, "%s ", (*v)->name);
    buf_adds(out, "--help\"\n        return\n    fi\n    case ${COMP_WORDS[$1]} in\n");
    completion_arms(verb, "_bryo_at_", " \"$(($1 + 1))\"", out);
    buf_adds(out, "    esac\n");
}

void completion_bash(const struct cli_verb *root, struct buf *out)
{
    static const struct completion_body body = {"_bryo_at_", add_leaf, add_parent};
    buf_adds(out, prologue);
    completion_functions(root, &body, out);
    buf_adds(out, epilogue);
}
