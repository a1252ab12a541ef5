// SPDX-License-Identifier: Apache-2.0
// What the store reads back: meta.json and manifests; and dpkg's database. The first byte chooses.
#include "internal/base/buf.h"
#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/image/lzma_trust.h"
#include "internal/image/manifest_set.h"
#include "internal/image/store_meta.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void again(struct buf *text)
{
    AUTO_META struct store_meta m = {0};
    if (store_meta_parse(buf_str(text), text->len, &m) < 0)
        abort();
    buf_clear(text);
    store_meta_format(&m, text);
}

// What was taken is written and taken again; from then on (bytes that are no UTF-8 are replaced the
// first time) always the same.
static void meta(const char *text, size_t n)
{
    AUTO_META struct store_meta m = {0};
    AUTO_BUF struct buf one = {0};
    AUTO_BUF struct buf two = {0};
    if (store_meta_parse(text, n, &m) < 0)
        return;
    store_meta_format(&m, &one);
    again(&one);
    buf_add(&two, one.data, one.len);
    again(&two);
    if (one.len != two.len || memcmp(one.data, two.data, one.len) != 0)
        abort();
}

static void manifest(char *text)
{
    struct manifest_set set = {0};
    struct err err = {0};
    if (manifest_set_parse(text, &set, &err) < 0)
        return;
    for (size_t i = 0; i < set.n; i++)
        if (set.v[i].alive && manifest_set_find(&set, set.v[i].e.path) != &set.v[i])
            abort();
    manifest_set_done(&set);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char version[16];
    if (size < 1)
        return 0;
    AUTO_FREE char *text = str_dupn((const char *)data + 1, size - 1);
    switch (data[0] % 3) {
    case 0:
        meta(text, size - 1);
        break;
    case 1:
        manifest(text);
        break;
    default:
        if (lzma_dpkg_version(text, "liblzma5", version, sizeof(version)) &&
            strlen(version) >= sizeof(version))
            abort();
    }
    return 0;
}
