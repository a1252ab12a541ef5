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
