// SPDX-License-Identifier: Apache-2.0
#include "cmd/bryo/completion.h"

#include "cmd/bryo/cli.h"

#include <string.h>

bool completion_choices(const struct cli_option *o, struct buf *out)
{
    // Capitals stand for something ("DIR"); small letters are words to type.
    if (!o->arg || !strchr(o->arg, '|') ||
        strspn(o->arg, "abcdefghijklmnopqrstuvwxyz|") != strlen(o->arg))
        return false;
    for (const char *s = o->arg; *s; s++)
        buf_addc(out, (char)(*s == '|' ? ' ' : *s));
    return true;
}

void completion_name(const struct cli_verb *verb, struct buf *out)
{
    for (const char *s = verb->path; *s; s++)
        buf_addc(out, (char)(*s == ' ' ? '_' : *s));
}

void completion_functions(const struct cli_verb *verb, const struct completion_body *body,
                          struct buf *out)
{
    for (const struct cli_verb *const *v = verb->subs; v && *v; v++)
        completion_functions(*v, body, out);
    buf_adds(out, body->prefix);
    completion_name(verb, out);
    buf_adds(out, "() {\n");
    if (verb->subs)
        body->parent(out, verb);
    else
        body->leaf(out, verb);
    buf_adds(out, "}\n");
}

void completion_arms(const struct cli_verb *verb, const char *prefix, const char *args,
                     struct buf *out)
{
    for (const struct cli_verb *const *v = verb->subs; *v; v++) {
        buf_addf(out, "    %s) %s", (*v)->name, prefix);
        completion_name(*v, out);
        buf_addf(out, "%s ;;\n", args);
    }
}
