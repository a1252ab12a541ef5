// SPDX-License-Identifier: Apache-2.0
// Which names of a layer take something away, and which only look so.
#include "internal/image/whiteout.h"

#include "tests/unit/tap.h"

static const struct {
    const char *path;
    enum whiteout_kind kind;
    const char *name;
} rows[] = {
    {"", WHITEOUT_NONE, NULL},
    {"a", WHITEOUT_NONE, NULL},
    {".wh", WHITEOUT_NONE, NULL},
    {"wh.a", WHITEOUT_NONE, NULL},
    {"a.wh.b", WHITEOUT_NONE, NULL},
    {".WH.a", WHITEOUT_NONE, NULL},
    {"a/b/.whx", WHITEOUT_NONE, NULL},
    {".wh.a", WHITEOUT_NAME, "a"},
    {"a/b/.wh.c", WHITEOUT_NAME, "c"},
    {".wh. ", WHITEOUT_NAME, " "},
    {".wh..a", WHITEOUT_NAME, ".a"},
    {".wh....", WHITEOUT_NAME, "..."},
    {".wh.\xff\n", WHITEOUT_NAME, "\xff\n"},
    {".wh..wh", WHITEOUT_NAME, ".wh"},
    {".wh..wh..opq", WHITEOUT_OPAQUE, NULL},
    {"a/.wh..wh..opq", WHITEOUT_OPAQUE, NULL},
    {".wh..wh..opqx", WHITEOUT_AUFS, NULL},
    {".wh..wh.plnk", WHITEOUT_AUFS, NULL},
    {".wh..wh.plnk/12.34", WHITEOUT_AUFS, NULL},
    {".wh..wh.", WHITEOUT_AUFS, NULL},
    {".wh.", WHITEOUT_BAD, "is a whiteout of no name"},
    {".wh..", WHITEOUT_BAD, "is a whiteout of no name"},
    {".wh...", WHITEOUT_BAD, "is a whiteout of no name"},
    {"a/.wh...", WHITEOUT_BAD, "is a whiteout of no name"},
    {".wh./a", WHITEOUT_BAD, "lies below a whiteout"},
    {".wh.a/b", WHITEOUT_BAD, "lies below a whiteout"},
    {"x/.wh.a/.wh.b", WHITEOUT_BAD, "lies below a whiteout"},
    {".wh..wh..opq/a", WHITEOUT_BAD, "lies below a whiteout"},
};

int main(void)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *name = NULL;
        is_int(whiteout_of(rows[i].path, &name), rows[i].kind, "kind of row %zu", i);
        is_str(name, rows[i].name, "name of row %zu", i);
    }
    return done_testing();
}
