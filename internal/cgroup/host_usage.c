// SPDX-License-Identifier: Apache-2.0
#include "internal/base/buf.h"
#include "internal/base/cleanup.h"
#include "internal/base/fd.h"
#include "internal/cgroup/host_leaf.h"
#include "internal/job/usage.h"

#include <string.h>

#define FILE_MAX (1 << 20)

static void read_one(int dir, const char *file, struct usage *u)
{
    AUTO_BUF struct buf text = {0};
    if (fd_read_file(dir, file, FILE_MAX, &text) == 0)
        usage_parse(u, file, buf_str(&text));
}

static uint64_t larger(uint64_t a, uint64_t b)
{
    return a == USAGE_UNKNOWN ? b : b == USAGE_UNKNOWN || a > b ? a : b;
}

static uint64_t sum(uint64_t a, uint64_t b)
{
    return a == USAGE_UNKNOWN ? b : b == USAGE_UNKNOWN ? a : a + b;
}

// What the kernel counts where it happens only, not above: the job's own level, where the limits
// stand once more.
static void add_inner(const struct leaf *leaf, struct usage *u)
{
    struct usage inner;
    usage_init(&inner);
    read_one(leaf->inner, "cpu.stat", &inner);
    read_one(leaf->inner, "pids.events", &inner);
    read_one(leaf->inner, "memory.events.local", &inner);
    u->throttled_us = larger(u->throttled_us, inner.throttled_us);
    u->throttled_times = larger(u->throttled_times, inner.throttled_times);
    u->pids_max_hits = larger(u->pids_max_hits, inner.pids_max_hits);
    u->ooms_here = sum(u->ooms_here, inner.ooms_here);
}

void host_leaf_usage(const struct leaf *leaf, struct usage *ret)
{
    usage_init(ret);
    for (const char *const *file = usage_files; *file; file++)
        read_one(leaf->outer, *file, ret);
    add_inner(leaf, ret);
}

void host_leaf_sample(const struct leaf *leaf, struct usage *ret)
{
    static const char *const files[] = {"cpu.stat",     "memory.current",  "memory.swap.current",
                                        "memory.max",   "pids.current",    "io.stat",
                                        "cpu.pressure", "memory.pressure", "io.pressure"};
    usage_init(ret);
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
        read_one(leaf->outer, files[i], ret);
}
