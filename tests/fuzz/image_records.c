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

// What was taken is written, and taken again, the same.
static void meta(const char *text, size_t n)
{
    AUTO_META struct store_meta a = {0};
    AUTO_META struct store_meta b = {0};
    AUTO_BUF struct buf once = {0};
    AUTO_BUF struct buf twice = {0};
    if (store_meta_parse(text, n, &a) < 0)
        return;
    store_meta_format(&a, &once);
    if (store_meta_parse(buf_str(&once), once.len, &b) < 0)
        abort();
    store_meta_format(&b, &twice);
    if (once.len != twice.len || memcmp(once.data, twice.data, once.len) != 0)
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
