// SPDX-License-Identifier: Apache-2.0
// Completion scripts, from the verbs' tables.
#ifndef BRYO_CMD_COMPLETION_H
#define BRYO_CMD_COMPLETION_H

#include <stdbool.h>

struct buf;
struct cli_option;
struct cli_verb;

void completion_bash(const struct cli_verb *root, struct buf *out);
void completion_zsh(const struct cli_verb *root, struct buf *out);
void completion_fish(const struct cli_verb *root, struct buf *out);

// The words of a value that is one of a few ("none|host"), parted by blanks; false when it is not.
bool completion_choices(const struct cli_option *o, struct buf *out);

// "bryo image ls" as part of a function's name: "bryo_image_ls".
void completion_name(const struct cli_verb *verb, struct buf *out);

// One shell function for each verb, those below it first: PREFIX_bryo_image_ls() { ... }.
struct completion_body {
    const char *prefix;
    void (*leaf)(struct buf *out, const struct cli_verb *verb);
    void (*parent)(struct buf *out, const struct cli_verb *verb);
};
void completion_functions(const struct cli_verb *verb, const struct completion_body *body,
                          struct buf *out);

// The arms of a case that calls the function of the verb below: "    ls) PREFIX_bryo_ls ARGS ;;".
void completion_arms(const struct cli_verb *verb, const char *prefix, const char *args,
                     struct buf *out);

#endif
