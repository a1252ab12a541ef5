// SPDX-License-Identifier: Apache-2.0
// Manual pages in man(7), from the verbs' tables.
#include "cmd/bryo/cli.h"
#include "cmd/bryo/version.h"

#include <string.h>

// Source lines stay below this, as mandoc -Tlint wants.
#define WRAP 72

static void add_char(struct buf *out, char c)
{
    static const struct {
        char c;
        const char *roff;
    } escapes[] = {{'\\', "\\e"}, {'-', "\\-"}, {'~', "\\(ti"}, {'^', "\\(ha"}, {'"', "\\(dq"}};
    for (size_t i = 0; i < sizeof(escapes) / sizeof(escapes[0]); i++) {
        if (escapes[i].c == c) {
            buf_adds(out, escapes[i].roff);
            return;
        }
    }
    buf_addc(out, c);
}

// Text that roff prints as it stands, no line of it taken for a request. wrap: blanks may become
// ends of lines; each sentence then starts a line of its own, as roff wants it.
static void add_text(struct buf *out, const char *s, size_t n, bool wrap)
{
    bool at_start = true;
    size_t column = 0;
    for (size_t i = 0; i < n; i++) {
        if (at_start && (s[i] == '.' || s[i] == '\''))
            buf_adds(out, "\\&");
        size_t word = i + 1;
        while (word < n && s[word] != ' ')
            word++;
        at_start = wrap && s[i] == ' ' && i > 0 && (s[i - 1] == '.' || column + (word - i) > WRAP);
        if (at_start)
            buf_addc(out, '\n');
        else
            add_char(out, s[i]);
        column = at_start ? 0 : column + 1;
    }
}

static void add_str(struct buf *out, const char *s)
{
    add_text(out, s, strlen(s), true);
}

static void add_upper(struct buf *out, const char *s, char blank)
{
    for (; *s; s++) {
        if (*s == ' ')
            buf_addc(out, blank);
        else
            buf_addc(out, (char)(*s >= 'a' && *s <= 'z' ? *s - 0x20 : *s));
    }
}

// The page's name: "bryo-image" for "bryo image".
static void add_page_name(struct buf *out, const struct cli_verb *verb)
{
    for (const char *s = verb->path; *s; s++)
        buf_adds(out, *s == ' ' ? "\\-" : (char[]){*s, '\0'});
}

static void add_lines(struct buf *out, const char *text, size_t n, bool wrap)
{
    while (n > 0) {
        const char *end = memchr(text, '\n', n);
        size_t len = end ? (size_t)(end - text) : n;
        add_text(out, text, len, wrap);
        buf_addc(out, '\n');
        text += end ? len + 1 : len;
        n -= end ? len + 1 : len;
    }
}

static void add_paragraphs(struct buf *out, const char *text, bool break_first)
{
    for (bool first = true; *text; first = false) {
        const char *end = strstr(text, "\n\n");
        size_t n = end ? (size_t)(end - text) : strlen(text);
        if (!first || break_first)
            buf_adds(out, ".PP\n");
        if (*text == ' ')
            buf_adds(out, ".nf\n");
        add_lines(out, text, n, *text != ' ');
        if (*text == ' ')
            buf_adds(out, ".fi\n");
        text += n;
        text += strspn(text, "\n");
    }
}

static void add_option(struct buf *out, const struct cli_option *o)
{
    buf_adds(out, ".TP\n");
    if (o->letter)
        buf_addf(out, "\\fB\\-%c\\fR, ", o->letter);
    buf_adds(out, "\\fB\\-\\-");
    add_str(out, o->name);
    buf_adds(out, "\\fR");
    if (o->arg) {
        buf_adds(out, cli_needs_value(o) ? " \\fI" : "\\fI");
        add_str(out, o->arg);
        buf_adds(out, "\\fR");
    }
    buf_addc(out, '\n');
    add_str(out, o->help);
    buf_adds(out, ".\n");
}

static void add_options(struct buf *out, const struct cli_verb *verb, bool grouped)
{
    const char *group = NULL;
    for (size_t i = 0; i < verb->n_options; i++) {
        const struct cli_option *o = &verb->options[i];
        if (grouped && (!group || strcmp(group, o->group) != 0)) {
            group = o->group;
            buf_addf(out, ".SS %s\n", group);
        }
        add_option(out, o);
    }
}

static void add_synopsis(struct buf *out, const struct cli_verb *verb)
{
    buf_adds(out, ".B ");
    add_str(out, verb->path);
    buf_addc(out, '\n');
    add_str(out, verb->synopsis);
    buf_addc(out, '\n');
}

static void add_sub(struct buf *out, const struct cli_verb *verb)
{
    buf_adds(out, ".SS ");
    add_str(out, verb->path);
    buf_addc(out, ' ');
    add_str(out, verb->synopsis);
    buf_addc(out, '\n');
    add_paragraphs(out, verb->description ? verb->description : verb->summary, false);
    add_options(out, verb, false);
}

// The root's verbs have pages of their own.
static void add_verb_line(struct buf *out, const struct cli_verb *verb)
{
    buf_adds(out, ".TP\n\\fB");
    add_str(out, verb->path);
    buf_adds(out, "\\fR\n");
    add_str(out, verb->summary);
    buf_adds(out, ".\n");
}

static void add_see_also(struct buf *out, const struct cli_verb *verb)
{
    buf_adds(out, ".SH SEE ALSO\n");
    if (verb != &verb_bryo)
        buf_adds(out, ".BR bryo (1),\n");
    for (const struct cli_verb *const *v = verb->subs; v && *v; v++) {
        buf_adds(out, ".BR ");
        add_page_name(out, *v);
        buf_adds(out, " (1),\n");
    }
    if (verb == &verb_bryo)
        buf_adds(out, ".BR bryo.mk (5),\n");
    buf_adds(out, ".BR user_namespaces (7),\n.BR subuid (5)\n");
}

void cli_man(const struct cli_verb *verb, struct buf *out)
{
    buf_adds(out, ".TH ");
    add_upper(out, verb->path, '-');
    buf_adds(out, " 1 \"" BRYO_DATE "\" \"bryo " BRYO_VERSION "\" \"User Commands\"\n.SH NAME\n");
    add_page_name(out, verb);
    buf_adds(out, " \\-\n");
    add_str(out, verb->summary);
    buf_adds(out, "\n.SH SYNOPSIS\n");
    add_synopsis(out, verb);
    buf_adds(out, ".SH DESCRIPTION\n");
    add_paragraphs(out, verb->description ? verb->description : verb->summary, false);
    if (verb->subs) {
        buf_adds(out, ".SH COMMANDS\n");
        for (const struct cli_verb *const *v = verb->subs; *v; v++) {
            if (verb == &verb_bryo)
                add_verb_line(out, *v);
            else
                add_sub(out, *v);
        }
    }
    if (verb->n_options) {
        buf_adds(out, ".SH OPTIONS\n");
        add_options(out, verb, true);
    }
    for (const struct cli_section *s = verb->sections; s && s->title; s++) {
        buf_adds(out, ".SH ");
        add_upper(out, s->title, ' ');
        buf_addc(out, '\n');
        add_paragraphs(out, s->text, false);
    }
    add_see_also(out, verb);
}
