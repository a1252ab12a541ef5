// SPDX-License-Identifier: Apache-2.0
// Limits as files of cgroup v2.
#include "internal/base/cleanup.h"
#include "internal/job/limits.h"

#include <inttypes.h>
#include <string.h>

static const struct {
    const char *name;
    unsigned controller;
} controllers[] = {
    {"cpu", CONTROLLER_CPU},   {"cpuset", CONTROLLER_CPUSET}, {"memory", CONTROLLER_MEMORY},
    {"pids", CONTROLLER_PIDS}, {"io", CONTROLLER_IO},         {"hugetlb", CONTROLLER_HUGETLB},
};
enum { N_CONTROLLERS = sizeof(controllers) / sizeof(controllers[0]) };

unsigned limits_controller(const char *name, size_t n)
{
    for (size_t i = 0; i < N_CONTROLLERS; i++)
        if (strlen(controllers[i].name) == n && strncmp(controllers[i].name, name, n) == 0)
            return controllers[i].controller;
    return 0;
}

const char *limits_controller_name(unsigned controller)
{
    for (size_t i = 0; i < N_CONTROLLERS; i++)
        if (controllers[i].controller == controller)
            return controllers[i].name;
    return "";
}

unsigned limits_parse_controllers(const char *line)
{
    unsigned mask = 0;
    while (*line) {
        size_t n = strcspn(line, " \t\n,");
        mask |= limits_controller(line, n);
        line += n;
        line += strspn(line, " \t\n,");
    }
    return mask;
}

void limits_format_controllers(unsigned mask, const char *prefix, struct buf *out)
{
    const char *blank = "";
    for (size_t i = 0; i < N_CONTROLLERS; i++) {
        if (!(mask & controllers[i].controller))
            continue;
        buf_addf(out, "%s%s%s", blank, prefix, controllers[i].name);
        blank = " ";
    }
}

static struct limit_file *add(struct limit_files *f, const char *option, unsigned controller,
                              char *file, char *value)
{
    f->v = mem_grow(f->v, f->n + 1, sizeof(*f->v));
    f->v[f->n] = (struct limit_file){
        .option = option, .controller = controller, .file = file, .value = value, .asked = true};
    return &f->v[f->n++];
}

static char *number(uint64_t n)
{
    return n == LIMIT_MAX ? str_dup("max") : str_fmt("%" PRIu64, n);
}

static void add_memory(const struct limits *l, struct limit_files *f)
{
    if (l->memory != LIMIT_NONE)
        add(f, "--memory", CONTROLLER_MEMORY, str_dup("memory.max"), number(l->memory))->visible =
            true;
    if (l->memory_high != LIMIT_NONE)
        (void)add(f, "--memory-high", CONTROLLER_MEMORY, str_dup("memory.high"),
                  number(l->memory_high));
    // docker's default: as much swap again as memory. Here --memory-swap counts both together, the
    // kernel's file swap alone.
    uint64_t swap = l->memory_swap == LIMIT_MAX    ? LIMIT_MAX
                    : l->memory_swap != LIMIT_NONE ? l->memory_swap - l->memory
                                                   : l->memory;
    if (swap == LIMIT_NONE)
        return;
    struct limit_file *file = add(f, l->memory_swap != LIMIT_NONE ? "--memory-swap" : "--memory",
                                  CONTROLLER_MEMORY, str_dup("memory.swap.max"), number(swap));
    file->asked = l->memory_swap != LIMIT_NONE;
    file->visible = true;
}

static void add_cpu(const struct limits *l, struct limit_files *f)
{
    if (l->cpu_quota_us != LIMIT_NONE)
        add(f, "--cpus", CONTROLLER_CPU, str_dup("cpu.max"),
            str_fmt("%" PRIu64 " %d", l->cpu_quota_us, LIMITS_CPU_PERIOD_US))
            ->visible = true;
    if (l->cpu_weight != LIMIT_NONE)
        (void)add(f, "--cpu-weight", CONTROLLER_CPU, str_dup("cpu.weight"), number(l->cpu_weight));
    if (l->cpuset_cpus)
        (void)add(f, "--cpuset-cpus", CONTROLLER_CPUSET, str_dup("cpuset.cpus"),
                  str_dup(l->cpuset_cpus));
    if (l->cpuset_mems)
        (void)add(f, "--cpuset-mems", CONTROLLER_CPUSET, str_dup("cpuset.mems"),
                  str_dup(l->cpuset_mems));
}

static void add_io(const struct limits *l, struct limit_files *f)
{
    static const char *const keys[] = {"rbps", "wbps", "riops", "wiops"};
    for (size_t i = 0; i < l->n_io; i++) {
        AUTO_BUF struct buf value = {0};
        for (size_t k = 0; k < 4; k++) {
            if (l->io[i].values[k] == LIMIT_NONE)
                continue;
            AUTO_FREE char *n = number(l->io[i].values[k]);
            buf_addf(&value, "%s%s=%s", value.len ? " " : "", keys[k], n);
        }
        add(f, "--io-max", CONTROLLER_IO, str_dup("io.max"), buf_take(&value))->device =
            l->io[i].device;
    }
    if (l->io_weight != LIMIT_NONE)
        (void)add(f, "--io-weight", CONTROLLER_IO, str_dup("io.weight"),
                  str_fmt("default %" PRIu64, l->io_weight));
}

void limits_files(const struct limits *l, struct limit_files *ret)
{
    add_memory(l, ret);
    add_cpu(l, ret);
    if (l->pids != LIMIT_NONE)
        add(ret, "--pids-limit", CONTROLLER_PIDS, str_dup("pids.max"), number(l->pids))->visible =
            true;
    add_io(l, ret);
    for (size_t i = 0; i < l->hugetlb.n; i++) {
        size_t n = strcspn(l->hugetlb.v[i], "=");
        (void)add(ret, "--hugetlb", CONTROLLER_HUGETLB,
                  str_fmt("hugetlb.%.*s.max", (int)n, l->hugetlb.v[i]),
                  str_dup(l->hugetlb.v[i] + n + 1));
    }
    for (size_t i = 0; i < l->set.n; i++) {
        const char *set = l->set.v[i];
        size_t n = strcspn(set, "=");
        (void)add(ret, "--cgroup-set", limits_controller(set, strcspn(set, ".")), str_dupn(set, n),
                  str_dup(set + n + 1));
    }
}

void limit_files_done(struct limit_files *f)
{
    for (size_t i = 0; i < f->n; i++) {
        free(f->v[i].file);
        free(f->v[i].value);
    }
    free(f->v);
    *f = (struct limit_files){0};
}

unsigned limit_files_controllers(const struct limit_files *f)
{
    unsigned mask = 0;
    for (size_t i = 0; i < f->n; i++)
        mask |= f->v[i].controller;
    return mask;
}
