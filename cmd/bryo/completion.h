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

#endif
