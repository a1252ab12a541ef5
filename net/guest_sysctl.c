// SPDX-License-Identifier: Apache-2.0
#include "net/guest_sysctl.h"

#include "internal/base/buf.h"
#include "internal/base/fd.h"
#include "internal/job/idmap.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define MAP_MAX (64U << 10)

// The kernel compares groups by their ids outside, and wants both ends of the range mapped.
static bool whole_range(const struct idmap *map, char *ret, size_t size)
{
    uint32_t low = 0;
    uint32_t high = 0;
    uint64_t low_outside = UINT64_MAX;
    uint64_t high_outside = 0;
    for (size_t i = 0; i < map->n; i++) {
        const struct id_extent *x = &map->ext[i];
        uint64_t last = (uint64_t)x->outside + x->count - 1;
        if (x->outside < low_outside) {
            low_outside = x->outside;
            low = x->inside;
        }
        if (last >= high_outside) {
            high_outside = last;
            high = x->inside + x->count - 1;
        }
    }
    (void)snprintf(ret, size, "%u %u", low, high);
    return map->n > 0;
}

void guest_sysctl_set(void)
{
    AUTO_BUF struct buf text = {0};
    struct idmap map = {0};
    char range[32];
    if (fd_read_file(AT_FDCWD, "/proc/self/gid_map", MAP_MAX, &text) == 0 &&
        idmap_parse_proc(&map, buf_str(&text)) == 0 && whole_range(&map, range, sizeof(range)))
        (void)fd_write_file(AT_FDCWD, "/proc/sys/net/ipv4/ping_group_range", range, strlen(range));
    idmap_done(&map);
    (void)fd_write_file(AT_FDCWD, "/proc/sys/net/ipv4/ip_unprivileged_port_start", "0", 1);
}
