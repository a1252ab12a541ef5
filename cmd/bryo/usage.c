// SPDX-License-Identifier: Apache-2.0
// --help, from a verb's table.
#include "cmd/bryo/cli.h"

#include "internal/base/cleanup.h"

#include <string.h>

enum { WIDTH = 79, HELP_COLUMN = 30, NAME_COLUMN = 12, SECOND_COLUMN = 41 };

static size_t pad(struct buf *out, size_t column, size_t to)
{
    for (; column < to; column++)
        buf_addc(out, ' ');
    return column;
}

// Words of text from a column on, broken before WIDTH, further lines at the indent.
static void wrap(struct buf *out, const char *text, size_t indent, size_t column)
{
    bool first = true;
    while (*text) {
        size_t n = strcspn(text, " \n");
        if (!first && column + 1 + n > WIDTH) {
            buf_addc(out, '\n');
            column = pad(out, 0, indent);
            first = true;
        }
        if (!first) {
            buf_addc(out, ' ');
            column++;
        }
        buf_add(out, text, n);
        column += n;
        text += n;
        text += strspn(text, " \n");
        first = false;
    }
    buf_addc(out, '\n');
}

static void add_paragraphs(struct buf *out, const char *text)
{
    while (*text) {
        const char *end = strstr(text, "\n\n");
        size_t n = end ? (size_t)(end - text) : strlen(text);
        char *paragraph = str_dupn(text, n);
        if (*text == ' ')
            buf_addf(out, "%s\n", paragraph);
        else
            wrap(out, paragraph, 0, 0);
        free_p(&paragraph);
        text += n;
        if (*text)
            buf_addc(out, '\n');
        text += strspn(text, "\n");
    }
}

static void add_option(struct buf *out, const struct cli_option *o)
{
    size_t start = out->len;
    if (o->letter)
        buf_addf(out, "  -%c, --%s", o->letter, o->name);
    else
        buf_addf(out, "      --%s", o->name);
    if (o->arg)
        buf_addf(out, "%s%s", cli_needs_value(o) ? " " : "", o->arg);
    size_t column = out->len - start;
    if (column + 2 > HELP_COLUMN) {
        buf_addc(out, '\n');
        column = 0;
    }
    column = pad(out, column, HELP_COLUMN);
    wrap(out, o->help, HELP_COLUMN, column);
}

// Options in the order of the table; a heading where the group changes.
static void add_options(struct buf *out, const struct cli_verb *verb)
{
    const char *group = NULL;
    for (size_t i = 0; i < verb->n_options; i++) {
        const struct cli_option *o = &verb->options[i];
        if (!group || strcmp(group, o->group) != 0) {
            group = o->group;
            buf_addf(out, "\n%s:\n", group);
        }
        add_option(out, o);
    }
}

static void add_subs(struct buf *out, const struct cli_verb *verb)
{
    buf_adds(out, "\nCommands:\n");
    for (const struct cli_verb *const *v = verb->subs; *v; v++) {
        size_t start = out->len;
        buf_addf(out, "  %s", (*v)->name);
        size_t column = pad(out, out->len - start, 14);
        wrap(out, (*v)->summary, 14, column);
    }
}

// Two on a line.
static void add_overview(struct buf *out, const struct cli_overview *o)
{
    size_t start = 0; // of the line that has room for a second; 0: none
    for (; o->title || o->verb; o++) {
        if (start && !o->title) {
            (void)pad(out, out->len - start, SECOND_COLUMN);
        } else {
            buf_adds(out, start ? "\n" : "");
            if (o->title) {
                buf_addf(out, "%s:\n", o->title);
                start = 0;
                continue;
            }
        }
        bool second = start > 0;
        start = second ? start : out->len;
        buf_addf(out, "%s%-*s%s", second ? "" : "  ", NAME_COLUMN, o->verb->name, o->brief);
        if (second) {
            buf_addc(out, '\n');
            start = 0;
        }
    }
    buf_adds(out, start ? "\n" : "");
}

// The groups into which a verb's options fall, in a sentence.
static void add_groups(struct buf *out, const struct cli_verb *verb)
{
    AUTO_BUF struct buf text = {0};
    const char *group = "";
    buf_addf(&text, "\"%s --help\" has the options of a job by groups:", verb->path);
    for (size_t i = 0; i < verb->n_options; i++) {
        if (strcmp(group, verb->options[i].group) == 0)
            continue;
        buf_addf(&text, "%s %s", *group ? "," : "", verb->options[i].group);
        group = verb->options[i].group;
    }
    buf_addc(&text, '.');
    wrap(out, buf_str(&text), 0, 0);
}

void cli_usage(const struct cli_verb *verb, struct buf *out)
{
    if (verb->overview) {
        buf_addf(out, "Usage: %s %s\n", verb->path, verb->synopsis);
        add_paragraphs(out, verb->description);
        buf_addc(out, '\n');
        add_overview(out, verb->overview);
        buf_addc(out, '\n');
        add_groups(out, &verb_run);
        return;
    }
    buf_addf(out, "Usage: %s %s\n\n", verb->path, verb->synopsis);
    add_paragraphs(out, verb->description ? verb->description : verb->summary);
    if (verb->subs)
        add_subs(out, verb);
    add_options(out, verb);
    // A parent's help is an overview and stays on one screen.
    for (const struct cli_section *t = verb->subs ? NULL : verb->sections; t && t->title; t++) {
        buf_addf(out, "\n%s:\n", t->title);
        add_paragraphs(out, t->text);
    }
}
