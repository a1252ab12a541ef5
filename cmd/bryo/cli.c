// SPDX-License-Identifier: Apache-2.0
#include "cmd/bryo/cli.h"

#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/base/fd.h"
#include "internal/base/log.h"
#include "internal/job/stage.h"

#include <errno.h>
#include <string.h>

struct parser {
    const struct cli_verb *verb;
    void *ctx;
    int argc;
    char **argv;
    int at; // the word that is read
};

static const struct cli_option *find_long(const struct cli_verb *verb, const char *name, size_t n)
{
    for (size_t i = 0; i < verb->n_options; i++) {
        const struct cli_option *o = &verb->options[i];
        if ((strlen(o->name) == n && memcmp(o->name, name, n) == 0) ||
            (o->alias && strlen(o->alias) == n && memcmp(o->alias, name, n) == 0))
            return o;
    }
    return NULL;
}

static const struct cli_option *find_letter(const struct cli_verb *verb, char letter)
{
    for (size_t i = 0; i < verb->n_options; i++)
        if (verb->options[i].letter && verb->options[i].letter == letter)
            return &verb->options[i];
    return NULL;
}

static int unknown_option(const struct cli_verb *verb, const char *name, struct err *err)
{
    AUTO_STRV struct strv names = {0};
    for (size_t i = 0; i < verb->n_options; i++)
        strv_addf(&names, "--%s", verb->options[i].name);
    strv_add(&names, "--help");
    return cli_unknown("option", name, (const char *const *)names.v, names.n, verb->path, err);
}

// The option's name goes in front of what its value's parser found wrong.
static int apply(const struct parser *p, const struct cli_option *o, const char *value,
                 struct err *err)
{
    struct err why = {0};
    int r = o->apply(p->ctx, value, &why);
    if (r == 0)
        return 0;
    err_set(err, -r, "--%s: %s", o->name, why.text);
    return why.hint[0] ? err_hint(err, "%s", why.hint) : r;
}

static int apply_next_word(struct parser *p, const struct cli_option *o, struct err *err)
{
    if (p->at + 1 >= p->argc)
        return err_set(err, EINVAL, "--%s needs a value: --%s %s", o->name, o->name, o->arg);
    return apply(p, o, p->argv[++p->at], err);
}

static int parse_long(struct parser *p, const char *word, struct err *err)
{
    size_t n = strcspn(word, "=");
    if (n == 4 && memcmp(word, "help", 4) == 0 && !word[n])
        return CLI_HELP;
    const struct cli_option *o = find_long(p->verb, word, n);
    if (!o) {
        AUTO_FREE char *name = str_fmt("--%.*s", (int)n, word);
        return unknown_option(p->verb, name, err);
    }
    if (!o->arg)
        return word[n] ? err_set(err, EINVAL, "--%s takes no value", o->name)
                       : apply(p, o, "", err);
    if (!word[n] && !cli_needs_value(o))
        return apply(p, o, "", err);
    return word[n] ? apply(p, o, word + n + 1, err) : apply_next_word(p, o, err);
}

// -abcVALUE: letters without a value, the last one may have one.
static int parse_letters(struct parser *p, const char *letters, struct err *err)
{
    for (; *letters; letters++) {
        const struct cli_option *o = find_letter(p->verb, *letters);
        if (!o && *letters == 'h')
            return CLI_HELP;
        if (!o) {
            AUTO_FREE char *name = str_fmt("-%c", *letters);
            return unknown_option(p->verb, name, err);
        }
        if (o->arg)
            return letters[1] ? apply(p, o, letters + 1 + (letters[1] == '='), err)
                              : apply_next_word(p, o, err);
        int r = apply(p, o, "", err);
        if (r < 0)
            return r;
    }
    return 0;
}

int cli_parse(const struct cli_verb *verb, int argc, char **argv, void *ctx, struct strv *words,
              struct err *err)
{
    struct parser p = {.verb = verb, .ctx = ctx, .argc = argc, .argv = argv, .at = 1};
    bool options_over = false;
    for (; p.at < argc; p.at++) {
        const char *word = argv[p.at];
        if (options_over || word[0] != '-' || !word[1]) {
            strv_add(words, word);
            options_over = options_over || verb->options_first;
            continue;
        }
        if (strcmp(word, "--") == 0) {
            options_over = true;
            continue;
        }
        int r = word[1] == '-' ? parse_long(&p, word + 2, err) : parse_letters(&p, word + 1, err);
        if (r != 0)
            return r;
    }
    return CLI_PARSED;
}

int cli_fail(struct err *err)
{
    err_stage(err, STAGE_USAGE);
    log_err(err);
    return CLI_FAILED;
}

const struct cli_verb *cli_find(const struct cli_verb *const *verbs, const char *name)
{
    for (; verbs && *verbs; verbs++)
        if (strcmp((*verbs)->name, name) == 0)
            return *verbs;
    return NULL;
}

static int unknown_verb(const struct cli_verb *parent, const char *word)
{
    const char *names[64];
    size_t n = 0;
    struct err err = {0};
    for (const struct cli_verb *const *v = parent->subs; *v && n < 64; v++)
        names[n++] = (*v)->name;
    cli_unknown(word[0] == '-' ? "option" : "command", word, names, n, parent->path, &err);
    return cli_fail(&err);
}

int cli_dispatch(const struct cli_verb *parent, const struct invocation *inv, int argc, char **argv)
{
    const char *word = argc > 1 ? argv[1] : NULL;
    if (word && (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)) {
        AUTO_BUF struct buf text = {0};
        cli_usage(parent, &text);
        return cli_print(&text);
    }
    if (!word || !*word) {
        struct err err = {0};
        err_set(&err, EINVAL, "no command given: %s %s", parent->path, parent->synopsis);
        err_hint(&err, "\"%s --help\" lists them", parent->path);
        return cli_fail(&err);
    }
    const struct cli_verb *verb = cli_find(parent->subs, word);
    return verb ? verb->run(verb, inv, argc - 1, argv + 1) : unknown_verb(parent, word);
}

int cli_print(const struct buf *text)
{
    int r = text->len ? fd_write_all(STDOUT_FILENO, text->data, text->len) : 0;
    if (r == 0)
        return 0;
    struct err err = {0};
    err_sys(&err, -r, "writing to standard output");
    err_stage(&err, STAGE_REPORT);
    return cli_fail(&err);
}

int cli_begin(const struct cli_verb *verb, int argc, char **argv, void *ctx, size_t least,
              size_t most, struct strv *words, int *ret_status)
{
    struct err err = {0};
    int r = cli_parse(verb, argc, argv, ctx, words, &err);
    if (r == 0 && (words->n < least || words->n > most)) {
        err_set(&err, EINVAL,
                words->n < least ? "%s needs an argument" : "%s takes fewer arguments", verb->path);
        r = err_hint(&err, "usage: %s %s", verb->path, verb->synopsis);
    }
    if (r == CLI_HELP) {
        AUTO_BUF struct buf text = {0};
        cli_usage(verb, &text);
        *ret_status = cli_print(&text);
    } else if (r < 0) {
        *ret_status = cli_fail(&err);
    }
    return r == 0 ? CLI_PARSED : CLI_HELP;
}

// docker's and podman's templates of Go
static int refuse_template(const char *value, struct err *err)
{
    (void)err_set(err, EINVAL, "\"%s\" is a template, which bryo does not have", value);
    return err_hint(err, "take what is wanted out of the JSON: --format json | jq -r '.[].id'");
}

int cli_set_json(const char *value, bool *ret, struct err *err)
{
    if (strcmp(value, "table") != 0 && strcmp(value, "json") != 0)
        return strstr(value, "{{")
                   ? refuse_template(value, err)
                   : err_set(err, EINVAL, "\"%s\" is not one of table or json", value);
    *ret = value[0] == 'j';
    return 0;
}
