// SPDX-License-Identifier: Apache-2.0
// The texts of id maps: /etc/subuid, --uidmap values, /proc/PID/uid_map. The first byte of the
// input chooses.
#include "internal/job/idmap.h"
#include "internal/base/buf.h"
#include "internal/base/err.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

// A map made of whatever ranges a file grants is one that the kernel takes, but for its length.
static void subid(const char *text)
{
    struct id_range *ranges = NULL;
    size_t n = 0;
    AUTO(idmap_done) struct idmap map = {0};
    struct err err = {0};
    idmap_parse_subid(text, "ann", 1000, &ranges, &n);
    idmap_from_ranges(&map, 1000, ranges, n);
    require(map.n > IDMAP_MAX_EXTENTS || idmap_check(&map, "subuid", &err) == 0);
    free(ranges);
}

// What is read back from the lines of a map is the same map, and its key the same key.
static void round_trip(const struct idmap *map)
{
    AUTO_BUF struct buf text = {0};
    AUTO_IDMAPS struct idmaps a = {.kind = IDMAP_SUBIDS};
    AUTO_IDMAPS struct idmaps b = {.kind = IDMAP_SUBIDS};
    char key_a[17];
    char key_b[17];
    idmap_format(map, &text);
    idmap_copy(&a.uid, map);
    require(idmap_parse_proc(&b.uid, buf_str(&text)) == 0 && idmap_equal(map, &b.uid));
    idmaps_key(&a, key_a);
    idmaps_key(&b, key_b);
    require(strcmp(key_a, key_b) == 0);
    for (size_t i = 0; i < map->n; i++) {
        uint32_t outside = 0;
        uint32_t inside = 0;
        require(idmap_to_outside(map, map->ext[i].inside, &outside) &&
                outside == map->ext[i].outside);
        require(idmap_to_inside(map, outside, &inside) && inside == map->ext[i].inside);
    }
}

static void proc_text(const char *text)
{
    AUTO(idmap_done) struct idmap map = {0};
    struct err err = {0};
    if (idmap_parse_proc(&map, text) == 0 && idmap_check(&map, "map", &err) == 0)
        round_trip(&map);
}

// Values parted by blanks.
static void flags(char *text)
{
    AUTO(idmap_done) struct idmap base = {0};
    AUTO(idmap_done) struct idmap map = {0};
    AUTO(idmap_done) struct idmap out = {0};
    uint64_t absolute[(IDMAP_MAX_EXTENTS + 63) / 64] = {0};
    struct err err = {0};
    char *rest = NULL;
    for (char *v = strtok_r(text, " ", &rest); v; v = strtok_r(NULL, " ", &rest))
        (void)idmap_parse_flag(&map, absolute, v, &err);
    idmap_add(&base, 0, 1000, 1);
    idmap_add(&base, 1, 100000, 65536);
    idmap_add(&base, 65537, 200000, 1000);
    if (idmap_resolve(&out, &map, absolute, &base, &err) < 0 || idmap_check(&out, "x", &err) < 0)
        return;
    for (size_t i = 0; i < out.n; i++) { // nothing but the user's own ids comes out
        uint32_t id = 0;
        require(idmap_to_inside(&base, out.ext[i].outside, &id) &&
                idmap_to_inside(&base, out.ext[i].outside + out.ext[i].count - 1, &id));
    }
    round_trip(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || size > 4096)
        return 0;
    AUTO_FREE char *text = str_dupn((const char *)data + 1, size - 1);
    switch (data[0] % 3) {
    case 0:
        subid(text);
        break;
    case 1:
        proc_text(text);
        break;
    default:
        flags(text);
        break;
    }
    return 0;
}
