// SPDX-License-Identifier: Apache-2.0
#include "internal/roots/scratch_record.h"

#include "internal/base/cleanup.h"
#include "internal/base/counted.h"

#include <errno.h>
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

static void put_map(struct buf *out, const struct idmap *map)
{
    AUTO_BUF struct buf text = {0};
    idmap_format(map, &text);
    counted_put(out, buf_str(&text));
}

void scratch_record_format(const struct scratch_record *r, struct buf *out)
{
    buf_adds(out, HEAD);
    counted_put(out, r->map_key);
    counted_put_number(out, (uint64_t)r->maps.kind);
    put_map(out, &r->maps.uid);
    put_map(out, &r->maps.gid);
    counted_put(out, r->rootfs);
    counted_put(out, r->lower);
    counted_put(out, r->init_layer);
    counted_put_number(out, r->layer_paths.n);
    for (size_t i = 0; i < r->layer_paths.n; i++) {
        counted_put(out, r->layer_sources.v[i]);
        counted_put(out, r->layer_paths.v[i]);
    }
}

static bool get_map(const char **at, struct idmap *ret)
{
    AUTO_FREE char *text = counted_get(at);
    return text && idmap_parse_proc(ret, text) == 0;
}

static bool get_maps(const char **at, struct scratch_record *r)
{
    uint64_t kind = 0;
    AUTO_FREE char *key = counted_get(at);
    if (!key || strlen(key) >= sizeof(r->map_key) || !counted_get_number(at, IDMAP_DIRECT, &kind))
        return false;
    (void)snprintf(r->map_key, sizeof(r->map_key), "%s", key);
    r->maps.kind = (enum idmap_kind)kind;
    return get_map(at, &r->maps.uid) && get_map(at, &r->maps.gid);
}

static bool get_layers(const char **at, struct scratch_record *r)
{
    uint64_t n = 0;
    bool good = counted_get_number(at, 10000, &n);
    for (uint64_t i = 0; good && i < n; i++) {
        char *source = counted_get(at);
        char *path = source ? counted_get(at) : NULL;
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
    if (!get_maps(&text, &r) || !(r.rootfs = counted_get(&text)) ||
        !(r.lower = counted_get(&text)) || !(r.init_layer = counted_get(&text)) ||
        !get_layers(&text, &r))
        return -EINVAL;
    *ret = r;
    r = (struct scratch_record){0};
    return 0;
}
