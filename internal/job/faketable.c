// SPDX-License-Identifier: Apache-2.0
// Open addressing with linear probing; a removal moves the ones behind it up (Knuth, TAOCP 3, 6.4
// R).
#include "internal/job/faketable.h"

#include "internal/base/buf.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#define FAKE_EMPTY UINT32_MAX
#define FIRST_CAP  256

void fake_table_done(struct fake_table *t)
{
    free(t->slots);
    *t = (struct fake_table){0};
}

static bool is_free(const struct fake_entry *e)
{
    return e->type == FAKE_EMPTY;
}

static size_t home_of(const struct fake_table *t, const struct fake_file *file)
{
    uint64_t h = (file->ino ^ file->dev << 40) * UINT64_C(0x9e3779b97f4a7c15);
    return (size_t)(h >> 20) & (t->cap - 1);
}

// Where the file is, or would be.
static size_t slot_of(const struct fake_table *t, const struct fake_file *file)
{
    size_t i = home_of(t, file);
    while (!is_free(&t->slots[i]) &&
           (t->slots[i].file.ino != file->ino || t->slots[i].file.dev != file->dev))
        i = (i + 1) & (t->cap - 1);
    return i;
}

const struct fake_entry *fake_table_find(const struct fake_table *t, const struct fake_file *file)
{
    if (t->n == 0)
        return NULL;
    const struct fake_entry *e = &t->slots[slot_of(t, file)];
    return is_free(e) || e->file.birth_ns != file->birth_ns ? NULL : e;
}

static void grow(struct fake_table *t)
{
    struct fake_table wider = {.cap = t->cap ? t->cap * 2 : FIRST_CAP, .n = t->n};
    wider.slots = mem_grow(NULL, wider.cap, sizeof(*wider.slots));
    for (size_t i = 0; i < wider.cap; i++)
        wider.slots[i] = (struct fake_entry){.type = FAKE_EMPTY};
    for (size_t i = 0; i < t->cap; i++)
        if (!is_free(&t->slots[i]))
            wider.slots[slot_of(&wider, &t->slots[i].file)] = t->slots[i];
    free(t->slots);
    *t = wider;
}

int fake_table_put(struct fake_table *t, const struct fake_entry *entry)
{
    if (t->cap == 0)
        grow(t);
    size_t i = slot_of(t, &entry->file);
    if (is_free(&t->slots[i])) {
        if (t->n >= FAKE_ENTRIES_MAX)
            return -ENOSPC;
        if ((t->n + 1) * 2 > t->cap) {
            grow(t);
            i = slot_of(t, &entry->file);
        }
        t->n++;
    }
    t->slots[i] = *entry;
    return 0;
}

void fake_table_drop(struct fake_table *t, const struct fake_file *file)
{
    if (t->n == 0)
        return;
    size_t hole = slot_of(t, file);
    if (is_free(&t->slots[hole]))
        return;
    t->n--;
    for (size_t i = (hole + 1) & (t->cap - 1); !is_free(&t->slots[i]); i = (i + 1) & (t->cap - 1)) {
        // One that is at home between the hole and itself stays where it is.
        size_t home = home_of(t, &t->slots[i].file);
        bool between = hole <= i ? hole < home && home <= i : hole < home || home <= i;
        if (!between) {
            t->slots[hole] = t->slots[i];
            hole = i;
        }
    }
    t->slots[hole].type = FAKE_EMPTY;
}
