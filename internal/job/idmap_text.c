// SPDX-License-Identifier: Apache-2.0
// The texts of id maps: /etc/subuid, --uidmap values, /proc/PID/uid_map.
#include "internal/base/buf.h"
#include "internal/base/err.h"
#include "internal/base/parse.h"
#include "internal/job/idmap.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

// Cuts the text up to the next "sep" off *s; false when nothing is left. The last field reaches to
// the end.
static bool next_field(const char **s, const char *end, char sep, const char **field, size_t *n)
{
    if (!*s)
        return false;
    const char *at = memchr(*s, sep, (size_t)(end - *s));
    *field = *s;
    *n = (size_t)((at ? at : end) - *s);
    *s = at ? at + 1 : NULL;
    return true;
}

static bool owner_matches(const char *s, size_t n, const char *name, uint32_t id)
{
    if (name && strlen(name) == n && memcmp(s, name, n) == 0)
        return true;
    uint64_t number = 0;
    return parse_u64n(s, n, 0, UINT32_MAX, &number) == 0 && number == id;
}

static bool parse_subid_line(const char *line, size_t n, const char *name, uint32_t id,
                             struct id_range *ret)
{
    const char *end = line + n;
    const char *f[3] = {0};
    size_t len[3] = {0};
    for (int i = 0; i < 3; i++)
        if (!next_field(&line, end, ':', &f[i], &len[i]))
            return false;
    uint64_t first = 0;
    uint64_t count = 0;
    if (line || !owner_matches(f[0], len[0], name, id) ||
        parse_u64n(f[1], len[1], 0, UINT32_MAX, &first) < 0 ||
        parse_u64n(f[2], len[2], 1, UINT32_MAX, &count) < 0 || first + count > UINT32_MAX)
        return false;
    *ret = (struct id_range){(uint32_t)first, (uint32_t)count};
    return true;
}

void idmap_parse_subid(const char *text, const char *name, uint32_t id, struct id_range **ret,
                       size_t *ret_n)
{
    const char *end = text + strlen(text);
    const char *line = NULL;
    size_t len = 0;
    struct id_range *ranges = NULL;
    size_t n = 0;
    size_t cap = 0;
    while (next_field(&text, end, '\n', &line, &len)) {
        struct id_range range;
        if (!parse_subid_line(line, len, name, id, &range))
            continue;
        if (n == cap) {
            cap = cap ? cap * 2 : 4;
            ranges = mem_grow(ranges, cap, sizeof(*ranges));
        }
        ranges[n++] = range;
    }
    *ret = ranges;
    *ret_n = n;
}

static int bad_flag(const char *value, int num, struct err *err)
{
    if (num == ERANGE)
        err_set(err, ERANGE, "the id map \"%s\" goes beyond id %" PRIu32 ", the last there is",
                value, UINT32_MAX - 1);
    else
        err_set(err, EINVAL, "\"%s\" is not an id map", value);
    return err_hint(err, "the form is INSIDE:FROM[:COUNT], three decimal numbers: 0:1:65536 gives "
                         "the job 65536 ids from the user's first subordinate one on");
}

int idmap_parse_flag(struct idmap *map, uint64_t absolute[(IDMAP_MAX_EXTENTS + 63) / 64],
                     const char *value, struct err *err)
{
    const char *s = value;
    const char *end = value + strlen(value);
    const char *f = NULL;
    size_t len = 0;
    uint64_t number[3] = {0, 0, 1};
    bool is_absolute = false;
    int fields = 0;
    for (; fields < 3 && next_field(&s, end, ':', &f, &len); fields++) {
        if (fields == 1 && len > 0 && *f == '@') {
            is_absolute = true;
            f++;
            len--;
        }
        int r = parse_u64n(f, len, 0, UINT32_MAX, &number[fields]);
        if (r < 0)
            return bad_flag(value, -r, err);
    }
    if (fields < 2 || s || number[2] == 0)
        return bad_flag(value, EINVAL, err);
    if (number[0] + number[2] > UINT32_MAX || number[1] + number[2] > UINT32_MAX)
        return bad_flag(value, ERANGE, err);
    if (map->n >= IDMAP_MAX_EXTENTS)
        return err_set(err, E2BIG, "more than %d id map entries; the kernel takes no more",
                       IDMAP_MAX_EXTENTS);
    if (is_absolute)
        absolute[map->n / 64] |= (uint64_t)1 << (map->n % 64);
    idmap_add(map, (uint32_t)number[0], (uint32_t)number[1], (uint32_t)number[2]);
    return 0;
}

void idmap_format(const struct idmap *map, struct buf *out)
{
    for (size_t i = 0; i < map->n; i++)
        buf_addf(out, "%" PRIu32 " %" PRIu32 " %" PRIu32 "\n", map->ext[i].inside,
                 map->ext[i].outside, map->ext[i].count);
}

static bool parse_proc_line(struct idmap *map, const char *s, size_t n)
{
    uint64_t number[3] = {0};
    const char *end = s + n;
    for (int i = 0; i < 3; i++) {
        while (s < end && *s == ' ')
            s++;
        const char *stop = s;
        while (stop < end && *stop != ' ')
            stop++;
        if (parse_u64n(s, (size_t)(stop - s), i == 2, UINT32_MAX, &number[i]) < 0)
            return false;
        s = stop;
    }
    while (s < end && *s == ' ')
        s++;
    if (s != end)
        return false;
    idmap_add(map, (uint32_t)number[0], (uint32_t)number[1], (uint32_t)number[2]);
    return true;
}

int idmap_parse_proc(struct idmap *map, const char *text)
{
    struct idmap made = {0};
    const char *end = text + strlen(text);
    const char *line = NULL;
    size_t len = 0;
    while (next_field(&text, end, '\n', &line, &len)) {
        if (len > 0 && (made.n >= IDMAP_MAX_EXTENTS || !parse_proc_line(&made, line, len))) {
            idmap_done(&made);
            return -EINVAL;
        }
    }
    idmap_done(map);
    *map = made;
    return 0;
}
