// SPDX-License-Identifier: Apache-2.0
// Limits as users write them, and as files of cgroup v2.
#include "internal/base/err.h"
#include "internal/job/limits.h"
#include "tests/unit/tap.h"

#include <errno.h>

#define REFUSED 4711

typedef int parse_fn(const char *value, uint64_t *ret, struct err *err);

static const struct row {
    const char *value;
    uint64_t want;
} memory_rows[] =
    {
        {"100m", 104857600}, {"6m", 6291456},           {"1.5g", 1610612736}, {"2GiB", 2147483648},
        {"-1", LIMIT_MAX},   {"max", LIMIT_MAX},        {"6291456", 6291456}, {"8388608b", 8388608},
        {"5m", REFUSED},     {"1k", REFUSED},           {"0", REFUSED},       {"", REFUSED},
        {"m", REFUSED},      {"-2", REFUSED},           {"100x", REFUSED},    {" 100m", REFUSED},
        {"100m ", REFUSED},  {"99999999999t", REFUSED}, {"1e9", REFUSED},
},
  cpus_rows[] =
      {
          {"1", 100000},    {"0.5", 50000},   {".5", 50000},        {"1.25", 125000},
          {"0.01", 1000},   {"64", 6400000},  {"2.000009", 200000}, {"0.001", REFUSED},
          {"0", REFUSED},   {"", REFUSED},    {".", REFUSED},       {"1.", REFUSED},
          {"-1", REFUSED},  {"1,5", REFUSED}, {"99999", REFUSED},   {"1.5.5", REFUSED},
          {"one", REFUSED}, {"0x1", REFUSED},
},
  weight_rows[] =
      {
          {"1", 1},           {"100", 100},    {"10000", 10000}, {"0", REFUSED},
          {"10001", REFUSED}, {"-1", REFUSED}, {"", REFUSED},    {"1.5", REFUSED},
},
  pids_rows[] = {
      {"64", 64},       {"1", 1},           {"-1", LIMIT_MAX},
      {"0", LIMIT_MAX}, {"max", LIMIT_MAX}, {"", REFUSED},
      {"-2", REFUSED},  {"1k", REFUSED},    {"4294967296", REFUSED},
};

static void numbers(const char *what, parse_fn *fn, const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct err err = {0};
        uint64_t got = REFUSED;
        int r = fn(rows[i].value, &got, &err);
        ok(got == rows[i].want && (r == 0) == (got != REFUSED) &&
               (r == 0 || (r == -EINVAL && err.num == EINVAL && *err.text)),
           "%s \"%s\"", what, rows[i].value);
    }
}
#define NUMBERS(what, fn, rows) numbers(what, fn, rows, sizeof(rows) / sizeof((rows)[0]))

static bool add_up(void *ctx, unsigned n)
{
    *(unsigned *)ctx = *(unsigned *)ctx * 100 + n;
    return n != 9;
}

static void lists(void)
{
    static const char *const good[] = {"0", "0-3", "0,2,4", "0-1,3-3,7", "8191"};
    static const char *const bad[] = {"",  ",",   "0,",   "-1",   "3-1", "0-",
                                      "a", "0 1", "8192", "0--1", "1;2"};
    struct err err = {0};
    char *list = NULL;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        is_int(limits_parse_list(good[i], &list, &err), 0, "list \"%s\"", good[i]);
        is_str(list, good[i], "is kept as it is");
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        is_int(limits_parse_list(bad[i], &list, &err), -EINVAL, "no list: \"%s\"", bad[i]);
    is_str(list, "8191", "and the one before stays");
    free(list);
    unsigned sum = 0;
    limits_each_of_list("1-3,5", add_up, &sum);
    is_int(sum, 1020305, "each number of a list");
    sum = 0;
    limits_each_of_list("8-10,11", add_up, &sum);
    is_int(sum, 809, "until the function has enough");
}

// "OPTION FILE=VALUE; ..." of all files.
static void is_files(const struct limits *l, const char *want, const char *what)
{
    AUTO_LIMIT_FILES struct limit_files f = {0};
    AUTO_BUF struct buf text = {0};
    limits_files(l, &f);
    for (size_t i = 0; i < f.n; i++)
        buf_addf(&text, "%s%s%s %s%s%s=%s", i ? "; " : "", f.v[i].asked ? "" : "(", f.v[i].option,
                 f.v[i].device ? f.v[i].device : "", f.v[i].device ? " " : "", f.v[i].file,
                 f.v[i].value);
    is_str(buf_str(&text), want, "%s", what);
}

static void files(void)
{
    struct limits l;
    struct err err = {0};
    limits_init(&l);
    ok(!limits_any(&l), "nothing is asked for");
    is_files(&l, "", "and nothing is written");
    l.memory = 100 << 20;
    ok(limits_any(&l), "something is asked for");
    is_files(&l, "--memory memory.max=104857600; (--memory memory.swap.max=104857600",
             "--memory alone: as much swap again");
    l.memory_swap = 150 << 20;
    is_files(&l, "--memory memory.max=104857600; --memory-swap memory.swap.max=52428800",
             "--memory-swap counts both");
    is_int(limits_check(&l, &err), 0, "which is good");
    l.memory_swap = 99 << 20;
    is_int(limits_check(&l, &err), -EINVAL, "less than --memory is not");
    l.memory_swap = LIMIT_MAX;
    is_files(&l, "--memory memory.max=104857600; --memory-swap memory.swap.max=max", "no limit");
    l.memory = LIMIT_NONE;
    is_int(limits_check(&l, &err), 0, "unlimited swap without --memory");
    l.memory_swap = 99 << 20;
    is_int(limits_check(&l, &err), -EINVAL, "a limit without --memory");
    limits_init(&l);
    l.memory_high = 7 << 20;
    l.memory = 6 << 20;
    is_int(limits_check(&l, &err), -EINVAL, "--memory-high above --memory");
    limits_init(&l);
    l.cpu_quota_us = 50000;
    l.cpu_weight = 50;
    l.io_weight = 20;
    l.pids = 64;
    is_files(&l,
             "--cpus cpu.max=50000 100000; --cpu-weight cpu.weight=50; --pids-limit pids.max=64; "
             "--io-weight io.weight=default 20",
             "the others");
    AUTO_LIMIT_FILES struct limit_files f = {0};
    limits_files(&l, &f);
    is_int(limit_files_controllers(&f), CONTROLLER_CPU | CONTROLLER_PIDS | CONTROLLER_IO,
           "and their controllers");
}

static void io_max(void)
{
    static const char *const bad[] = {
        "/dev/sda",       "/dev/sda:",       "sda:rbps=1",        "/dev/sda:rbps", "/dev/sda:rbps=",
        "/dev/sda:bps=1", "/dev/sda:rbps=0", "8:rbps=1",          "8:0:",          "8:0:riops=1m",
        ":rbps=1",        "8:0:rbps=1,",     "8:0:rbps=1 wbps=1", "8:0:rbps=-5"};
    struct limits l;
    struct err err = {0};
    limits_init(&l);
    is_int(limits_add_io_max(&l, "/dev/sda:rbps=1m,wiops=100", &err), 0, "a path");
    is_int(limits_add_io_max(&l, "8:16:wbps=max", &err), 0, "a number");
    is_int(limits_add_io_max(&l, "/dev/sda:rbps=2m", &err), 0, "the same once more");
    is_int(limits_add_io_max(&l, "/dev/disk/by-id/a:b:riops=7", &err), 0, "a colon in the path");
    is_files(&l,
             "--io-max /dev/sda io.max=rbps=2097152 wiops=100; --io-max 8:16 io.max=wbps=max; "
             "--io-max /dev/disk/by-id/a:b io.max=riops=7",
             "one write a device");
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        is_int(limits_add_io_max(&l, bad[i], &err), -EINVAL, "not \"%s\"", bad[i]);
    limits_done(&l);
}

static void assignments(void)
{
    static const char *const bad_sets[] = {"",
                                           "memory.low",
                                           "memory.low=",
                                           "=5",
                                           "memory/low=5",
                                           "../memory.low=5",
                                           ".memory=5",
                                           "memory=5",
                                           "cgroup.procs=1",
                                           "cgroup.kill=1",
                                           "cgroup.freeze=1",
                                           "cgroup.subtree_control=+cpu",
                                           "cgroup.type=threaded"};
    static const char *const bad_pages[] = {"", "2MB", "2MB=", "=64m", "2M=64m", "MB=1m", "2MB=x"};
    struct limits l;
    struct err err = {0};
    limits_init(&l);
    is_int(limits_add_set(&l, "memory.low=64M", &err), 0, "any file of the kernel's");
    is_int(limits_add_set(&l, "cgroup.max.depth=3", &err), 0, "also this one of the core's");
    is_int(limits_add_set(&l, "memory.low=32M", &err), 0, "again");
    is_int(limits_add_hugetlb(&l, "2MB=64m", &err), 0, "huge pages");
    is_files(&l,
             "--hugetlb hugetlb.2MB.max=67108864; --cgroup-set memory.low=32M; --cgroup-set "
             "cgroup.max.depth=3",
             "are written as they are");
    for (size_t i = 0; i < sizeof(bad_sets) / sizeof(bad_sets[0]); i++)
        is_int(limits_add_set(&l, bad_sets[i], &err), -EINVAL, "not \"%s\"", bad_sets[i]);
    for (size_t i = 0; i < sizeof(bad_pages) / sizeof(bad_pages[0]); i++)
        is_int(limits_add_hugetlb(&l, bad_pages[i], &err), -EINVAL, "nor \"%s\"", bad_pages[i]);
    limits_done(&l);
}

static void controllers(void)
{
    AUTO_BUF struct buf b = {0};
    is_int(limits_parse_controllers("cpuset cpu io memory hugetlb pids rdma misc\n"),
           CONTROLLERS_ALL, "a line of the kernel's");
    is_int(limits_parse_controllers(""), 0, "an empty one");
    is_int(limits_parse_controllers("cpuacct,cpu"), CONTROLLER_CPU, "version 1's commas");
    limits_format_controllers(CONTROLLER_MEMORY | CONTROLLER_CPU, "+", &b);
    is_str(buf_str(&b), "+cpu +memory", "and back");
    is_str(limits_controller_name(CONTROLLER_PIDS), "pids", "one");
}

int main(void)
{
    NUMBERS("--memory", limits_parse_memory, memory_rows);
    NUMBERS("--cpus", limits_parse_cpus, cpus_rows);
    NUMBERS("--cpu-weight", limits_parse_weight, weight_rows);
    NUMBERS("--pids-limit", limits_parse_pids, pids_rows);
    lists();
    files();
    io_max();
    assignments();
    controllers();
    return done_testing();
}
