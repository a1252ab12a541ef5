// SPDX-License-Identifier: Apache-2.0
#include "cmd/bryo/cli.h"
#include "cmd/bryo/completion.h"
#include "internal/base/cleanup.h"

#include <string.h>

// Inside of single quotes, inside of an _arguments specification: quotes, brackets and colons of
// the text must not end it.
static void add_quoted(struct buf *out, const char *s)
{
    for (; *s; s++) {
        if (*s == '\'')
            buf_adds(out, "'\\''");
        else if (strchr("[]:\\", *s))
            buf_addf(out, "\\%c", *s);
        else
            buf_addc(out, *s);
    }
}

static void add_action(struct buf *out, enum cli_words words)
{
    static const char *const actions[] = {
        [CLI_NOTHING] = " ",           [CLI_FILES] = "_files",           [CLI_DIRS] = "_files -/",
        [CLI_IMAGES] = "_bryo_images", [CLI_JOBS] = "_bryo_jobs",        [CLI_COMMAND] = "_normal",
        [CLI_VERBS] = "_bryo_verbs",   [CLI_SHELLS] = "(bash zsh fish)",
    };
    buf_adds(out, actions[words]);
}

// "*" in front: an option may be given again.
static void add_option_form(struct buf *out, const struct cli_option *o, const char *dashes,
                            const char *name, const char *joint)
{
    AUTO_BUF struct buf choices = {0};
    buf_addf(out, "        '*%s%s%s[", dashes, name, cli_needs_value(o) ? joint : "");
    add_quoted(out, o->help);
    buf_adds(out, "]");
    if (cli_needs_value(o)) {
        buf_adds(out, ":");
        add_quoted(out, o->arg);
        buf_adds(out, ":");
        if (completion_choices(o, &choices))
            buf_addf(out, "(%s)", choices.data);
        else
            add_action(out, o->words);
    }
    buf_adds(out, "' \\\n");
}

static void add_leaf(struct buf *out, const struct cli_verb *verb)
{
    buf_adds(out, "    _arguments -s -S \\\n        '(- *)--help[say how it is used]' \\\n");
    for (size_t i = 0; i < verb->n_options; i++) {
        const struct cli_option *o = &verb->options[i];
        add_option_form(out, o, "--", o->name, "=");
        if (o->letter)
            add_option_form(out, o, "-", (char[]){o->letter, '\0'}, "+");
    }
    if (verb->options_first && verb->words == CLI_JOBS)
        buf_adds(out, "        '(-)1:job:_bryo_jobs' '(-)2:command:_command_names -e' "
                      "'*:file:_files'\n");
    else if (verb->options_first)
        buf_adds(out, "        '(-)1:command:_command_names -e' '*::arguments:_normal'\n");
    else if (verb->words == CLI_NOTHING)
        buf_adds(out, "        ':: : '\n");
    else {
        buf_adds(out, "        '*:argument:");
        add_action(out, verb->words);
        buf_adds(out, "'\n");
    }
}

static void add_names(struct buf *out, const struct cli_verb *verb)
{
    buf_adds(out, "    local -a verbs=(\n");
    for (const struct cli_verb *const *v = verb->subs; *v; v++) {
        buf_addf(out, "        '%s:", (*v)->name);
        add_quoted(out, (*v)->summary);
        buf_adds(out, "'\n");
    }
    buf_adds(out, "    )\n");
}

static void add_parent(struct buf *out, const struct cli_verb *verb)
{
    add_names(out, verb);
    buf_adds(out, "    if (( CURRENT == 2 )); then\n"
                  "        _describe command verbs\n"
                  "        return\n"
                  "    fi\n"
                  "    shift words\n"
                  "    (( CURRENT-- ))\n"
                  "    case $words[1] in\n");
    completion_arms(verb, "_", "", out);
    buf_adds(out, "    esac\n");
}

void completion_zsh(const struct cli_verb *root, struct buf *out)
{
    static const struct completion_body body = {"_", add_leaf, add_parent};
    buf_adds(out, "#compdef bryo\n"
                  "_bryo_jobs() {\n"
                  "    local -a jobs=(${(f)\"$(bryo ps -a --names 2>/dev/null)\"})\n"
                  "    compadd -a jobs\n"
                  "}\n"
                  "_bryo_images() {\n"
                  "    local -a images=(${(f)\"$(bryo image ls -q 2>/dev/null)\"})\n"
                  "    compadd -a images\n"
                  "}\n"
                  "_bryo_verbs() {\n");
    add_names(out, root);
    buf_adds(out, "    _describe command verbs\n}\n");
    completion_functions(root, &body, out);
    buf_adds(out, "if [ \"$funcstack[1]\" = _bryo ]; then\n"
                  "    _bryo \"$@\"\n"
                  "else\n"
                  "    compdef _bryo bryo\n"
                  "fi\n");
}
