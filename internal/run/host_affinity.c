// SPDX-License-Identifier: Apache-2.0
#include "internal/run/host_affinity.h"

#include "internal/base/buf.h"
#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/base/fd.h"
#include "internal/job/limits.h"
#include "internal/job/stage.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mempolicy.h>
#include <stdbool.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NUMBERS_MAX 8192

struct numbers {
    unsigned long bits[NUMBERS_MAX / (8 * sizeof(long))];
};

static bool set_bit(void *ctx, unsigned n)
{
    struct numbers *set = ctx;
    if (n < NUMBERS_MAX)
        set->bits[n / (8 * sizeof(long))] |= 1UL << (n % (8 * sizeof(long)));
    return true;
}

static bool has_bit(const struct numbers *set, unsigned n)
{
    return n < NUMBERS_MAX && (set->bits[n / (8 * sizeof(long))] >> (n % (8 * sizeof(long))) & 1);
}

struct search {
    const struct numbers *allowed;
    int missing;
};

static bool find_missing(void *ctx, unsigned n)
{
    struct search *s = ctx;
    if (!has_bit(s->allowed, n))
        s->missing = (int)n;
    return s->missing < 0;
}

static int check(const char *status, const char *key, const char *option, const char *wanted,
                 struct err *err)
{
    const char *line = strstr(status, key);
    if (!wanted || !line)
        return 0;
    line += strlen(key);
    line += strspn(line, " \t");
    struct numbers allowed = {0};
    struct search search = {.allowed = &allowed, .missing = -1};
    AUTO_FREE char *list = str_dupn(line, strcspn(line, "\n"));
    limits_each_of_list(list, set_bit, &allowed);
    limits_each_of_list(wanted, find_missing, &search);
    return search.missing < 0 ? 0
                              : err_set(err, EINVAL,
                                        "%s %s: %d is not among those that may be used "
                                        "here: %s",
                                        option, wanted, search.missing, list);
}

int host_affinity_check(const struct limits *l, struct err *err)
{
    AUTO_BUF struct buf status = {0};
    if (!l->cpuset_cpus && !l->cpuset_mems)
        return 0;
    int r = fd_read_file(AT_FDCWD, "/proc/self/status", 1 << 20, &status);
    if (r < 0)
        return err_sys(err, -r, "cannot read /proc/self/status");
    r = check(buf_str(&status), "\nCpus_allowed_list:", "--cpuset-cpus", l->cpuset_cpus, err);
    if (r == 0)
        r = check(buf_str(&status), "\nMems_allowed_list:", "--cpuset-mems", l->cpuset_mems, err);
    return r;
}

int host_affinity_set(const struct limits *l, cpu_set_t *ret_was, struct err *err)
{
    struct numbers cpus = {0};
    struct numbers nodes = {0};
    if (sched_getaffinity(0, sizeof(*ret_was), ret_was) < 0)
        return err_sys(err, errno, "cannot ask for the processors of this process");
    if (l->cpuset_cpus) {
        limits_each_of_list(l->cpuset_cpus, set_bit, &cpus);
        if (sched_setaffinity(0, sizeof(cpus), (const cpu_set_t *)(const void *)&cpus) < 0)
            return err_sys(err, errno, "--cpuset-cpus %s: cannot set the processors",
                           l->cpuset_cpus);
    }
    if (l->cpuset_mems) {
        limits_each_of_list(l->cpuset_mems, set_bit, &nodes);
        if (syscall(SYS_set_mempolicy, MPOL_BIND, nodes.bits, NUMBERS_MAX) < 0)
            return err_sys(err, errno, "--cpuset-mems %s: cannot set the memory nodes",
                           l->cpuset_mems);
    }
    return 0;
}

void host_affinity_restore(const cpu_set_t *was)
{
    (void)sched_setaffinity(0, sizeof(*was), was);
    (void)syscall(SYS_set_mempolicy, MPOL_DEFAULT, NULL, 0);
}
