// SPDX-License-Identifier: Apache-2.0
// Text records of lines with their length in front ("5 hello"), so that a string in them may hold
// any byte but NUL. Pure. The readers are strict: each moves *at behind its line, or says no.
#ifndef BRYO_BASE_COUNTED_H
#define BRYO_BASE_COUNTED_H

#include "internal/base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void counted_put(struct buf *out, const char *s);
void counted_put_number(struct buf *out, uint64_t n); // a line of its own
void counted_put_list(struct buf *out, const struct strv *list);

char *counted_get(const char **at); // NULL: no such line; the caller owns the string
bool counted_get_number(const char **at, uint64_t max, uint64_t *ret);
bool counted_get_list(const char **at, size_t max, struct strv *ret);

#endif
