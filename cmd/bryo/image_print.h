// SPDX-License-Identifier: Apache-2.0
// How stored images look: a table, a list of fields, JSON.
#ifndef BRYO_CMD_IMAGE_PRINT_H
#define BRYO_CMD_IMAGE_PRINT_H

#include <stddef.h>
#include <stdint.h>

struct buf;
struct image_info;

// cells: rows of so many columns, at most 8, one after another. Columns are as wide as their widest
// cell; the last one is not padded.
struct strv;
void print_rows(const struct strv *cells, size_t columns, struct buf *out);

void print_image_table(const struct image_info *images, size_t n, int64_t now_s, struct buf *out);
void print_image_fields(const struct image_info *image, int64_t now_s, struct buf *out);

// A root and its layers, lowest first, with what they are together.
void print_image_stack(const struct image_info *images, size_t n, struct buf *out);

// An array, one object a line (RFC 8259); times as RFC 3339 in UTC.
void print_image_json(const struct image_info *images, size_t n, struct buf *out);

#endif
