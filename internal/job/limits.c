// SPDX-License-Identifier: Apache-2.0
#include "internal/job/limits.h"

#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/base/parse.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define MEMORY_MIN       (UINT64_C(6) << 20) // docker's; less does not start a shell
#define WEIGHT_MAX       10000
#define LIST_NUMBER_MAX  8191 // CPU_SETSIZE of the largest kernels
#define CPU_QUOTA_MIN_US 1000 // the kernel's least (kernel/sched/core.c: min_cfs_quota_period)

static const char *const io_keys[] = {"rbps", "wbps", "riops", "wiops"};

void limits_init(struct limits *l)
{
    *l = (struct limits){.memory = LIMIT_NONE,
                         .memory_swap = LIMIT_NONE,
                         .memory_high = LIMIT_NONE,
                         .cpu_quota_us = LIMIT_NONE,
                         .cpu_weight = LIMIT_NONE,
                         .io_weight = LIMIT_NONE,
                         .pids = LIMIT_NONE};
}

void limits_done(struct limits *l)
{
    for (size_t i = 0; i < l->n_io; i++)
        free(l->io[i].device);
    free(l->io);
    free(l->cpuset_cpus);
    free(l->cpuset_mems);
    strv_done(&l->hugetlb);
    strv_done(&l->set);
    limits_init(l);
}

static bool is_unlimited(const char *value)
{
    return strcmp(value, "-1") == 0 || strcmp(value, "max") == 0;
}

int limits_parse_memory(const char *value, uint64_t *ret, struct err *err)
{
    uint64_t n = 0;
    if (is_unlimited(value)) {
        *ret = LIMIT_MAX;
        return 0;
    }
    if (parse_size(value, &n) < 0 || n > INT64_MAX)
        return err_set(err, EINVAL, "\"%s\" is not a size such as 512m or 2g", value);
    if (n < MEMORY_MIN)
        return err_set(err, EINVAL, "\"%s\" is too little: at least 6m", value);
    *ret = n;
    return 0;
}

int limits_parse_cpus(const char *value, uint64_t *ret, struct err *err)
{
    const char *dot = strchrnul(value, '.');
    const char *frac = *dot ? dot + 1 : "0";
    uint64_t whole = 0;
    uint64_t quota = 0;
    uint64_t unit = LIMITS_CPU_PERIOD_US;
    bool good = (parse_u64n(value, (size_t)(dot - value), 0, LIST_NUMBER_MAX, &whole) == 0 ||
                 (dot == value && *dot)) &&
                *frac && strspn(frac, "0123456789") == strlen(frac);
    quota = whole * LIMITS_CPU_PERIOD_US;
    for (; good && *frac; frac++) {
        unit /= 10;
        quota += unit * (uint64_t)(*frac - '0');
    }
    if (!good)
        return err_set(err, EINVAL, "\"%s\" is not a number of processors such as 1.5", value);
    if (quota < CPU_QUOTA_MIN_US)
        return err_set(err, EINVAL, "\"%s\" is too little: at least 0.01", value);
    *ret = quota;
    return 0;
}

int limits_parse_weight(const char *value, uint64_t *ret, struct err *err)
{
    if (parse_u64(value, 1, WEIGHT_MAX, ret) < 0)
        return err_set(err, EINVAL, "\"%s\" is not a weight from 1 to 10000 (others have 100)",
                       value);
    return 0;
}

int limits_parse_pids(const char *value, uint64_t *ret, struct err *err)
{
    uint64_t n = 0;
    if (!is_unlimited(value) && parse_u64(value, 0, INT32_MAX, &n) < 0)
        return err_set(err, EINVAL, "\"%s\" is not a number of processes, nor -1 for no limit",
                       value);
    *ret = n ? n : LIMIT_MAX;
    return 0;
}

// One number or range at *at, which moves behind it.
static bool take_range(const char **at, uint64_t *ret_from, uint64_t *ret_to)
{
    size_t n = strspn(*at, "0123456789");
    if (parse_u64n(*at, n, 0, LIST_NUMBER_MAX, ret_from) < 0)
        return false;
    *at += n;
    *ret_to = *ret_from;
    if (**at != '-')
        return true;
    n = strspn(++*at, "0123456789");
    if (parse_u64n(*at, n, *ret_from, LIST_NUMBER_MAX, ret_to) < 0)
        return false;
    *at += n;
    return true;
}

int limits_parse_list(const char *value, char **ret, struct err *err)
{
    uint64_t from;
    uint64_t to;
    const char *at = value;
    while (take_range(&at, &from, &to)) {
        if (*at == '\0') {
            free(*ret);
            *ret = str_dup(value);
            return 0;
        }
        if (*at++ != ',')
            break;
    }
    return err_set(err, EINVAL, "\"%s\" is not a list such as 0-3,5", value);
}

void limits_each_of_list(const char *list, bool (*fn)(void *ctx, unsigned n), void *ctx)
{
    uint64_t from;
    uint64_t to;
    for (const char *at = list; take_range(&at, &from, &to); at++) {
        for (; from <= to; from++)
            if (!fn(ctx, (unsigned)from))
                return;
        if (!*at)
            return;
    }
}

static int parse_io_value(const char *word, struct io_max *io, struct err *err)
{
    const char *equals = strchrnul(word, '=');
    for (size_t i = 0; *equals && i < 4; i++) {
        uint64_t n = 0;
        if (strlen(io_keys[i]) != (size_t)(equals - word) ||
            strncmp(word, io_keys[i], (size_t)(equals - word)) != 0)
            continue;
        if (is_unlimited(equals + 1)) {
            io->values[i] = LIMIT_MAX;
            return 0;
        }
        // operations are counted in thousands, bytes in 1024: only bytes take a suffix
        int r = i < 2 ? parse_size(equals + 1, &n) : parse_u64(equals + 1, 0, INT64_MAX, &n);
        if (r < 0 || n == 0 || n > INT64_MAX)
            return err_set(err, EINVAL, "\"%s\" is not a %s", equals + 1,
                           i < 2 ? "number of bytes a second such as 10m"
                                 : "number of operations a second");
        io->values[i] = n;
        return 0;
    }
    return err_set(err, EINVAL, "\"%s\" is none of rbps=N, wbps=N, riops=N, wiops=N", word);
}

// What is said of a device again is added to what was said before.
static void put_io(struct limits *l, const char *device, size_t n, const struct io_max *add)
{
    size_t at = 0;
    while (at < l->n_io &&
           (strlen(l->io[at].device) != n || strncmp(l->io[at].device, device, n) != 0))
        at++;
    if (at == l->n_io) {
        l->io = mem_grow(l->io, l->n_io + 1, sizeof(*l->io));
        l->io[l->n_io++] = *add;
        l->io[at].device = str_dupn(device, n);
    }
    for (size_t i = 0; i < 4; i++)
        if (add->values[i] != LIMIT_NONE)
            l->io[at].values[i] = add->values[i];
}

static bool is_device(const char *s, size_t n)
{
    size_t major = strspn(s, "0123456789");
    return (n > 1 && s[0] == '/') ||
           (major > 0 && s[major] == ':' && strspn(s + major + 1, "0123456789") > 0 &&
            major + 1 + strspn(s + major + 1, "0123456789") == n);
}

int limits_add_io_max(struct limits *l, const char *value, struct err *err)
{
    // A number before the last colon that a key follows: "8:0:rbps=1m", "/dev/sda:rbps=1m,wbps=1m".
    const char *colon = strrchr(value, ':');
    if (!colon || !is_device(value, (size_t)(colon - value))) {
        (void)err_set(err, EINVAL, "\"%s\" is not of the form DEV:rbps=N,wbps=N,riops=N,wiops=N",
                      value);
        return err_hint(err, "DEV is the path of a disk such as /dev/sda, or its MAJOR:MINOR");
    }
    struct io_max io = {.values = {LIMIT_NONE, LIMIT_NONE, LIMIT_NONE, LIMIT_NONE}};
    const char *at = colon;
    do {
        size_t n = strcspn(++at, ",");
        AUTO_FREE char *word = str_dupn(at, n);
        int r = parse_io_value(word, &io, err);
        if (r < 0)
            return r;
        at += n;
    } while (*at);
    put_io(l, value, (size_t)(colon - value), &io);
    return 0;
}

// "FILE=..." replaces an earlier value of the same name.
static void put_assignment(struct strv *list, char *assignment)
{
    size_t n = strcspn(assignment, "=") + 1;
    for (size_t i = 0; i < list->n; i++) {
        if (strncmp(list->v[i], assignment, n) == 0) {
            free(list->v[i]);
            list->v[i] = assignment;
            return;
        }
    }
    strv_take(list, assignment);
}

int limits_add_hugetlb(struct limits *l, const char *value, struct err *err)
{
    size_t n = strcspn(value, "=");
    size_t digits = strspn(value, "0123456789");
    uint64_t bytes = 0;
    bool good = digits > 0 && digits + 2 == n &&
                (strncmp(value + digits, "KB", 2) == 0 || strncmp(value + digits, "MB", 2) == 0 ||
                 strncmp(value + digits, "GB", 2) == 0);
    if (!good || value[n] != '=' || parse_size(value + n + 1, &bytes) < 0 || bytes > INT64_MAX) {
        (void)err_set(err, EINVAL, "\"%s\" is not of the form PAGESIZE=SIZE, such as 2MB=64m",
                      value);
        return err_hint(err, "PAGESIZE as in the file names of the hugetlb controller: 2MB, 1GB");
    }
    put_assignment(&l->hugetlb, str_fmt("%.*s=%" PRIu64, (int)n, value, bytes));
    return 0;
}

int limits_add_set(struct limits *l, const char *value, struct err *err)
{
    size_t n = strcspn(value, "=");
    // Names of the kernel's files; cgroup.* is what bryo itself works the leaf with.
    bool good =
        value[n] == '=' && value[n + 1] && memchr(value, '.', n) && value[0] != '.' &&
        strspn(value, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.") == n;
    if (!good)
        return err_set(err, EINVAL,
                       "\"%s\" is not of the form FILE=VALUE with a file of the job's cgroup, such "
                       "as memory.low=64M",
                       value);
    if (strncmp(value, "cgroup.", 7) == 0 && strncmp(value, "cgroup.max.", 11) != 0)
        return err_set(err, EINVAL, "%.*s is not to be set: bryo works the cgroup with it", (int)n,
                       value);
    put_assignment(&l->set, str_dup(value));
    return 0;
}

int limits_check(const struct limits *l, struct err *err)
{
    if (l->memory_swap != LIMIT_NONE && l->memory_swap != LIMIT_MAX) {
        if (l->memory == LIMIT_NONE || l->memory == LIMIT_MAX) {
            (void)err_set(err, EINVAL, "--memory-swap needs --memory: it limits both together");
            return err_hint(err, "give --memory as well");
        }
        if (l->memory_swap < l->memory) {
            (void)err_set(err, EINVAL, "--memory-swap is less than --memory");
            return err_hint(err, "it limits memory and swap together: the same as --memory means "
                                 "no swap");
        }
    }
    if (l->memory_high != LIMIT_NONE && l->memory != LIMIT_NONE && l->memory_high > l->memory)
        return err_set(err, EINVAL, "--memory-high is more than --memory: it would never count");
    return 0;
}

bool limits_any(const struct limits *l)
{
    return l->memory != LIMIT_NONE || l->memory_swap != LIMIT_NONE ||
           l->memory_high != LIMIT_NONE || l->cpu_quota_us != LIMIT_NONE ||
           l->cpu_weight != LIMIT_NONE || l->io_weight != LIMIT_NONE || l->pids != LIMIT_NONE ||
           l->cpuset_cpus || l->cpuset_mems || l->n_io || l->hugetlb.n || l->set.n;
}
