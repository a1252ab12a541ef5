// SPDX-License-Identifier: Apache-2.0
#include "internal/run/scratch_record.h"

#include "internal/base/cleanup.h"
#include "internal/base/parse.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#define HEAD "bryo-kept 2\n"

void scratch_record_done(struct scratch_record *record)
{
    free(record->rootfs);
    free(record->lower);
    free(record->init_layer);
    strv_done(&record->layer_sources);
    strv_done(&record->layer_paths);
    idmaps_done(&record->maps);
    *record = (struct scratch_record){0};
}

// A line with its length in front: a path may hold any byte but NUL.
static void put(struct buf *out, const char *s)
{
    buf_addf(out, "%zu %s\n", strlen(s), s);
}

static void put_map(struct buf *out, const struct idmap *map)
{
    AUTO_BUF struct buf text = {0};
    idmap_format(map, &text);
    put(out, buf_str(&text));
}

void scratch_record_format(const struct scratch_record *r, struct buf *out)
{
    buf_adds(out, HEAD);
    put(out, r->map_key);
    buf_addf(out, "%d\n", (int)r->maps.kind);
    put_map(out, &r->maps.uid);
    put_map(out, &r->maps.gid);
    put(out, r->rootfs);
    put(out, r->lower);
    put(out, r->init_layer);
    buf_addf(out, "%zu\n", r->layer_paths.n);
    for (size_t i = 0; i < r->layer_paths.n; i++) {
        put(out, r->layer_sources.v[i]);
        put(out, r->layer_paths.v[i]);
    }
}

static bool number(const char **at, char end, uint64_t max, uint64_t *ret)
{
    size_t n = strspn(*at, "0123456789");
    if ((*at)[n] != end || parse_u64n(*at, n, 0, max, ret) < 0)
        return false;
    *at += n + 1;
    return true;
}

static char *counted(const char **at)
{
    uint64_t n = 0;
    if (!number(at, ' ', SIZE_MAX - 1, &n) || strlen(*at) < n + 1 || (*at)[n] != '\n')
        return NULL;
    char *ret = str_dupn(*at, n);
    *at += n + 1;
    return ret;
}

static bool get_map(const char **at, struct idmap *ret)
{
    AUTO_FREE char *text = counted(at);
    return text && idmap_parse_proc(ret, text) == 0;
}

static bool get_maps(const char **at, struct scratch_record *r)
{
    uint64_t kind = 0;
    AUTO_FREE char *key = counted(at);
    if (!key || strlen(key) >= sizeof(r->map_key) || !number(at, '\n', IDMAP_DIRECT, &kind))
        return false;
    (void)snprintf(r->map_key, sizeof(r->map_key), "%s", key);
    r->maps.kind = (enum idmap_kind)kind;
    return get_map(at, &r->maps.uid) && get_map(at, &r->maps.gid);
}

static bool get_layers(const char **at, struct scratch_record *r)
{
    uint64_t n = 0;
    bool good = number(at, '\n', 10000, &n);
    for (uint64_t i = 0; good && i < n; i++) {
        char *source = counted(at);
        char *path = source ? counted(at) : NULL;
        good = path != NULL;
        if (source)
            strv_take(&r->layer_sources, source);
        if (path)
            strv_take(&r->layer_paths, path);
    }
    return good && **at == '\0';
}

int scratch_record_parse(const char *text, struct scratch_record *ret)
{
    AUTO_RECORD struct scratch_record r = {0};
    if (strncmp(text, HEAD, sizeof(HEAD) - 1) != 0)
        return -EINVAL;
    text += sizeof(HEAD) - 1;
    if (!get_maps(&text, &r) || !(r.rootfs = counted(&text)) || !(r.lower = counted(&text)) ||
        !(r.init_layer = counted(&text)) || !get_layers(&text, &r))
        return -EINVAL;
    *ret = r;
    r = (struct scratch_record){0};
    return 0;
}
