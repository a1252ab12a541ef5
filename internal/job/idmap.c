// SPDX-License-Identifier: Apache-2.0
#include "internal/job/idmap.h"

#include "internal/base/buf.h"
#include "internal/base/cleanup.h"
#include "internal/base/err.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

// One past the last id that a map may hold: the kernel refuses extents that reach 2^32 - 1, which
// means "no id" to chown(2) and its like.
#define ID_END ((uint64_t)UINT32_MAX)

void idmap_done(struct idmap *map)
{
    free(map->ext);
    *map = (struct idmap){0};
}

void idmaps_done(struct idmaps *maps)
{
    idmap_done(&maps->uid);
    idmap_done(&maps->gid);
}

void idmap_add(struct idmap *map, uint32_t inside, uint32_t outside, uint32_t count)
{
    if (count == 0)
        return;
    map->ext = mem_grow(map->ext, map->n + 1, sizeof(*map->ext));
    map->ext[map->n++] = (struct id_extent){inside, outside, count};
}

void idmap_copy(struct idmap *to, const struct idmap *from)
{
    struct idmap copy = {0};
    for (size_t i = 0; i < from->n; i++)
        idmap_add(&copy, from->ext[i].inside, from->ext[i].outside, from->ext[i].count);
    idmap_done(to);
    *to = copy;
}

static uint64_t inside_end(const struct id_extent *e)
{
    return (uint64_t)e->inside + e->count;
}

static uint64_t outside_end(const struct id_extent *e)
{
    return (uint64_t)e->outside + e->count;
}

// The extent that holds an outside id, or NULL.
static const struct id_extent *holder_of_outside(const struct idmap *map, uint64_t id)
{
    for (size_t i = 0; i < map->n; i++)
        if (id >= map->ext[i].outside && id < outside_end(&map->ext[i]))
            return &map->ext[i];
    return NULL;
}

static const struct id_extent *holder_of_inside(const struct idmap *map, uint64_t id)
{
    for (size_t i = 0; i < map->n; i++)
        if (id >= map->ext[i].inside && id < inside_end(&map->ext[i]))
            return &map->ext[i];
    return NULL;
}

// The lowest start of an extent that lies at or after an outside id, but before end; else end.
static uint64_t next_outside_start(const struct idmap *map, uint64_t id, uint64_t end)
{
    for (size_t i = 0; i < map->n; i++)
        if (map->ext[i].outside >= id && map->ext[i].outside < end)
            end = map->ext[i].outside;
    return end;
}

void idmap_from_ranges(struct idmap *map, uint32_t own_id, const struct id_range *ranges, size_t n)
{
    uint64_t inside = 1;
    idmap_done(map);
    idmap_add(map, 0, own_id, 1);
    for (size_t i = 0; i < n; i++) {
        // A range that is listed twice (by name and by number, say) counts once: the kernel refuses
        // a map that names an outside id twice.
        uint64_t id = ranges[i].first;
        uint64_t end = id + ranges[i].count;
        if (end > ID_END)
            end = ID_END;
        while (id < end && inside < ID_END) {
            const struct id_extent *held = holder_of_outside(map, id);
            if (held) {
                id = outside_end(held);
                continue;
            }
            uint64_t count = next_outside_start(map, id, end) - id;
            if (count > ID_END - inside)
                count = ID_END - inside;
            idmap_add(map, (uint32_t)inside, (uint32_t)id, (uint32_t)count);
            inside += count;
            id += count;
        }
    }
}

// Appends the part of one extent from its id "at" on that one extent of base covers; how many ids
// that was, 0 when base has no such id.
static uint64_t resolve_part(struct idmap *ret, const struct id_extent *flag, uint64_t done,
                             bool absolute, const struct idmap *base)
{
    uint64_t from = flag->outside + done;
    const struct id_extent *held =
        absolute ? holder_of_outside(base, from) : holder_of_inside(base, from);
    if (!held)
        return 0;
    uint64_t left = (absolute ? outside_end(held) : inside_end(held)) - from;
    uint64_t count = flag->count - done;
    if (count > left)
        count = left;
    uint64_t outside = absolute ? from : held->outside + (from - held->inside);
    idmap_add(ret, (uint32_t)(flag->inside + done), (uint32_t)outside, (uint32_t)count);
    return count;
}

int idmap_resolve(struct idmap *ret, const struct idmap *flags, const uint64_t *absolute,
                  const struct idmap *base, struct err *err)
{
    struct idmap made = {0};
    for (size_t i = 0; i < flags->n; i++) {
        const struct id_extent *flag = &flags->ext[i];
        bool is_absolute = absolute && (absolute[i / 64] >> (i % 64) & 1);
        uint64_t done = 0;
        while (done < flag->count) {
            uint64_t part = resolve_part(&made, flag, done, is_absolute, base);
            if (part == 0) {
                idmap_done(&made);
                err_set(err, ERANGE,
                        "the id map %" PRIu32 ":%s%" PRIu32 ":%" PRIu32 " asks for id %s%" PRIu64
                        ", which this user does not have",
                        flag->inside, is_absolute ? "@" : "", flag->outside, flag->count,
                        is_absolute ? "@" : "", flag->outside + done);
                return err_hint(err,
                                "ids count from 0 (the user's own), then those that /etc/subuid "
                                "and /etc/subgid grant; \"@\" names an id of the machine");
            }
            done += part;
        }
    }
    idmap_done(ret);
    *ret = made;
    return 0;
}

static int check_pair(const struct id_extent *a, const struct id_extent *b, const char *what,
                      struct err *err)
{
    if (a->inside < inside_end(b) && b->inside < inside_end(a))
        return err_set(err, EINVAL, "%s maps id %" PRIu32 " of the job twice", what,
                       a->inside > b->inside ? a->inside : b->inside);
    if (a->outside < outside_end(b) && b->outside < outside_end(a))
        return err_set(err, EINVAL, "%s gives id %" PRIu32 " of the machine to two ids of the job",
                       what, a->outside > b->outside ? a->outside : b->outside);
    return 0;
}

int idmap_check(const struct idmap *map, const char *what, struct err *err)
{
    if (map->n == 0)
        return err_set(err, EINVAL, "%s maps no id", what);
    if (map->n > IDMAP_MAX_EXTENTS)
        return err_set(err, E2BIG, "%s needs %zu extents; the kernel takes %d", what, map->n,
                       IDMAP_MAX_EXTENTS);
    for (size_t i = 0; i < map->n; i++) {
        const struct id_extent *e = &map->ext[i];
        if (e->count == 0)
            return err_set(err, EINVAL, "%s has an extent of no ids", what);
        if (inside_end(e) > ID_END || outside_end(e) > ID_END)
            return err_set(err, ERANGE, "%s goes beyond id %" PRIu64 ", the last there is", what,
                           ID_END - 1);
        for (size_t j = 0; j < i; j++) {
            int r = check_pair(e, &map->ext[j], what, err);
            if (r < 0)
                return r;
        }
    }
    return 0;
}

static int by_inside(const void *a, const void *b)
{
    const struct id_extent *x = a;
    const struct id_extent *y = b;
    return (x->inside > y->inside) - (x->inside < y->inside);
}

// The same map, sorted by inside id and with neighbours joined.
static void canonical(struct idmap *ret, const struct idmap *map)
{
    idmap_copy(ret, map);
    if (ret->n == 0)
        return;
    qsort(ret->ext, ret->n, sizeof(*ret->ext), by_inside);
    size_t last = 0;
    for (size_t i = 1; i < ret->n; i++) {
        struct id_extent *to = &ret->ext[last];
        const struct id_extent *e = &ret->ext[i];
        if (inside_end(to) == e->inside && outside_end(to) == e->outside &&
            (uint64_t)to->count + e->count <= UINT32_MAX)
            to->count += e->count;
        else
            ret->ext[++last] = *e;
    }
    ret->n = last + 1;
}

bool idmap_equal(const struct idmap *a, const struct idmap *b)
{
    AUTO(idmap_done) struct idmap x = {0};
    AUTO(idmap_done) struct idmap y = {0};
    canonical(&x, a);
    canonical(&y, b);
    if (x.n != y.n)
        return false;
    for (size_t i = 0; i < x.n; i++)
        if (x.ext[i].inside != y.ext[i].inside || x.ext[i].outside != y.ext[i].outside ||
            x.ext[i].count != y.ext[i].count)
            return false;
    return true;
}

bool idmap_to_outside(const struct idmap *map, uint32_t inside, uint32_t *ret)
{
    const struct id_extent *e = holder_of_inside(map, inside);
    if (e)
        *ret = e->outside + (inside - e->inside);
    return e != NULL;
}

bool idmap_to_inside(const struct idmap *map, uint32_t outside, uint32_t *ret)
{
    const struct id_extent *e = holder_of_outside(map, outside);
    if (e)
        *ret = e->inside + (outside - e->outside);
    return e != NULL;
}

static uint64_t fnv1a(uint64_t hash, const struct idmap *map)
{
    AUTO(idmap_done) struct idmap c = {0};
    AUTO_BUF struct buf text = {0};
    canonical(&c, map);
    idmap_format(&c, &text);
    buf_addc(&text, ';');
    for (size_t i = 0; i < text.len; i++) {
        hash ^= (unsigned char)text.data[i];
        hash *= 0x100000001b3ULL;
    }
    return hash;
}

void idmaps_key(const struct idmaps *maps, char ret[17])
{
    if (maps->kind == IDMAP_SINGLE) {
        memcpy(ret, "single", sizeof("single"));
        return;
    }
    static const char digits[] = "0123456789abcdef";
    uint64_t hash = fnv1a(fnv1a(0xcbf29ce484222325ULL, &maps->uid), &maps->gid);
    for (int i = 0; i < 16; i++)
        ret[i] = digits[hash >> (60 - 4 * i) & 15];
    ret[16] = '\0';
}
