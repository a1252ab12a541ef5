// SPDX-License-Identifier: Apache-2.0
// Spans of time in docker's words.
#ifndef BRYO_CMD_AGE_H
#define BRYO_CMD_AGE_H

#include <stdint.h>

struct buf;

// "Less than a second", "5 seconds", "About a minute", "3 hours", "2 weeks"; from..to, in seconds.
// A span that ends before it begins, after a clock was set, counts as none.
void print_span(int64_t from_s, int64_t to_s, struct buf *out);

// The same, with "ago" behind.
void print_age(int64_t then_s, int64_t now_s, struct buf *out);

#endif
