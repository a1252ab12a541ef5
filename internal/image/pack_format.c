// SPDX-License-Identifier: Apache-2.0
#include "internal/image/pack_format.h"

#include <stddef.h>
#include <string.h>

static const char *const names[] = {
    [PACK_TAR] = "tar",
    [PACK_GZIP] = "tar.gz",
    [PACK_XZ] = "tar.xz",
    [PACK_ZSTD] = "tar.zst",
};

#define COUNT (sizeof(names) / sizeof(names[0]))

const char *pack_format_name(enum pack_format format)
{
    return (size_t)format < COUNT ? names[format] : "unknown";
}

enum pack_format pack_format_parse(const char *name)
{
    for (size_t i = 0; i < COUNT; i++)
        if (strcmp(names[i], name) == 0)
            return (enum pack_format)i;
    return PACK_UNKNOWN;
}

enum pack_format pack_format_of_file(const char *path)
{
    static const struct {
        const char *end;
        enum pack_format format;
    } ends[] = {{".tar", PACK_TAR},   {".tar.gz", PACK_GZIP}, {".tgz", PACK_GZIP},
                {".tar.xz", PACK_XZ}, {".txz", PACK_XZ},      {".tar.zst", PACK_ZSTD},
                {".tzst", PACK_ZSTD}};
    size_t n = strlen(path);
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        size_t len = strlen(ends[i].end);
        if (n > len && strcmp(path + n - len, ends[i].end) == 0)
            return ends[i].format;
    }
    return PACK_UNKNOWN;
}
