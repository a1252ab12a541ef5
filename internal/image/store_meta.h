// SPDX-License-Identifier: Apache-2.0
// meta.json of a store entry: one flat JSON object. Pure.
#ifndef BRYO_IMAGE_STORE_META_H
#define BRYO_IMAGE_STORE_META_H

#include "internal/image/store.h"

struct buf;

struct store_meta {
    char *source; // owned
    int64_t created_s;
    struct unpack_stats stats;
};

void store_meta_done(struct store_meta *m);
#define AUTO_META AUTO(store_meta_done)

void store_meta_format(const struct store_meta *m, struct buf *out);

// Strict: what store_meta_format() writes, members in any order. -EINVAL on anything else, also on
// text that was cut off; *ret is untouched then.
int store_meta_parse(const char *text, size_t n, struct store_meta *ret);

bool store_is_digest(const char *s, size_t n); // 64 lower-case hex digits
bool store_is_format(const char *s);           // "tar", "tar.xz", ...: letters, digits and dots
bool store_is_entry_name(const char *s);       // DIGEST-KEY
void store_entry_name(char ret[96], const char *digest, const char *key);

// The parts of a name for which store_is_entry_name() holds.
void store_split_name(const char *name, char ret_digest[65], char ret_map_key[17], bool *ret_layer);

#endif
