// SPDX-License-Identifier: Apache-2.0
#include "internal/image/whiteout.h"

#include <stdbool.h>
#include <string.h>

#define AUFS_PREFIX WHITEOUT_PREFIX ".wh."

static bool begins(const char *s, size_t n, const char *prefix)
{
    size_t len = strlen(prefix);
    return n >= len && memcmp(s, prefix, len) == 0;
}

// Of a component that has others below it.
static enum whiteout_kind of_parent(const char *name, size_t n, const char **ret_name)
{
    bool opaque = begins(name, n, WHITEOUT_OPAQUE_NAME) && n == strlen(WHITEOUT_OPAQUE_NAME);
    if (begins(name, n, AUFS_PREFIX) && !opaque)
        return WHITEOUT_AUFS;
    if (!begins(name, n, WHITEOUT_PREFIX))
        return WHITEOUT_NONE;
    *ret_name = "lies below a whiteout";
    return WHITEOUT_BAD;
}

static enum whiteout_kind of_leaf(const char *name, const char **ret_name)
{
    size_t n = strlen(name);
    if (strcmp(name, WHITEOUT_OPAQUE_NAME) == 0)
        return WHITEOUT_OPAQUE;
    if (begins(name, n, AUFS_PREFIX))
        return WHITEOUT_AUFS;
    if (!begins(name, n, WHITEOUT_PREFIX))
        return WHITEOUT_NONE;
    const char *hidden = name + strlen(WHITEOUT_PREFIX);
    bool nothing = !*hidden || strcmp(hidden, ".") == 0 || strcmp(hidden, "..") == 0;
    *ret_name = nothing ? "is a whiteout of no name" : hidden;
    return nothing ? WHITEOUT_BAD : WHITEOUT_NAME;
}

enum whiteout_kind whiteout_of(const char *path, const char **ret_name)
{
    for (;;) {
        size_t n = strcspn(path, "/");
        if (!path[n])
            return of_leaf(path, ret_name);
        enum whiteout_kind kind = of_parent(path, n, ret_name);
        if (kind != WHITEOUT_NONE)
            return kind;
        path += n + 1;
    }
}
