// SPDX-License-Identifier: Apache-2.0
// Names of a layer's members: whatever they are, a whiteout takes away one name beside it, or is
// refused.
#include "internal/image/whiteout.h"
#include "internal/base/err.h"
#include "internal/image/member.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int holds)
{
    if (!holds)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err err = {0};
    const char *name = NULL;
    char *path = malloc(size + 1);
    if (!path)
        return 0;
    memcpy(path, data, size);
    path[size] = '\0';
    if (member_clean_path(path, "name", 0, &err) == 0) {
        enum whiteout_kind kind = whiteout_of(path, &name);
        const char *slash = strrchr(path, '/');
        const char *leaf = slash ? slash + 1 : path;
        if (kind == WHITEOUT_NAME) {
            require(name == leaf + strlen(WHITEOUT_PREFIX) && *name && !strchr(name, '/'));
            require(strcmp(name, ".") != 0 && strcmp(name, "..") != 0);
        }
        require(kind != WHITEOUT_OPAQUE || strcmp(leaf, WHITEOUT_OPAQUE_NAME) == 0);
        require(kind != WHITEOUT_BAD || name);
        require(kind != WHITEOUT_NONE || strncmp(leaf, WHITEOUT_PREFIX, 4) != 0);
    }
    free(path);
    return 0;
}
