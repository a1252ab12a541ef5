// SPDX-License-Identifier: Apache-2.0
// Makes text that a stranger wrote safe to print on a terminal and in a CI log.
#ifndef BRYO_BASE_ESCAPE_H
#define BRYO_BASE_ESCAPE_H

#include <stddef.h>

struct buf;

// Appends n bytes of s to b: bytes below 0x20, 0x7f, 0x80 to 0x9f and a backslash become \xNN
// (\\ for the backslash), unless they are part of a valid UTF-8 sequence that encodes nothing of
// the kind; "::" and "##[" get their first byte escaped, since CI machines read them as commands.
void escape_add(struct buf *b, const char *s, size_t n);

// Appends n bytes of s as the inside of a JSON string (RFC 8259); bytes that are not UTF-8 become
// U+FFFD, so that the output is always valid JSON. Control characters, those of 0x80 to 0x9f too,
// and the first byte of "##[" become \uNNNN; "::" is a command only where a line begins, and no
// string does.
void escape_add_json(struct buf *b, const char *s, size_t n);

#endif
