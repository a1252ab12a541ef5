// SPDX-License-Identifier: Apache-2.0
// Limits and weights of a job, as docker spells them, and what they are in files of cgroup v2
// (Documentation/admin-guide/cgroup-v2.rst). Pure.
#ifndef BRYO_JOB_LIMITS_H
#define BRYO_JOB_LIMITS_H

#include "internal/base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

#define LIMIT_NONE UINT64_MAX       // not asked for
#define LIMIT_MAX  (UINT64_MAX - 1) // asked for: no limit ("max")

// Controllers, as bits.
enum {
    CONTROLLER_CPU = 1,
    CONTROLLER_CPUSET = 2,
    CONTROLLER_MEMORY = 4,
    CONTROLLER_PIDS = 8,
    CONTROLLER_IO = 16,
    CONTROLLER_HUGETLB = 32,
    CONTROLLERS_ALL = 63,
};

struct io_max {
    char *device;       // a path, or MAJOR:MINOR
    uint64_t values[4]; // rbps, wbps (bytes a second), riops, wiops; LIMIT_NONE where not given
};

struct limits {
    uint64_t memory;       // bytes
    uint64_t memory_swap;  // bytes of memory and swap together
    uint64_t memory_high;  // bytes
    uint64_t cpu_quota_us; // in each LIMITS_CPU_PERIOD_US
    uint64_t cpu_weight;   // 1 to 10000, others have 100
    uint64_t io_weight;    // the same
    uint64_t pids;
    char *cpuset_cpus; // "0-3,5"; NULL: none
    char *cpuset_mems;
    struct io_max *io; // one a device
    size_t n_io;
    struct strv hugetlb; // "2MB=67108864"
    struct strv set;     // "FILE=VALUE" of --cgroup-set
};

#define LIMITS_CPU_PERIOD_US 100000

void limits_init(struct limits *l);
void limits_done(struct limits *l);

// Values of the options. 0, or -EINVAL with err; what is named again replaces the first.
int limits_parse_memory(const char *value, uint64_t *ret, struct err *err); // at least 6 MiB, "-1"
int limits_parse_cpus(const char *value, uint64_t *ret_quota_us, struct err *err); // "0.5"
int limits_parse_weight(const char *value, uint64_t *ret, struct err *err);
int limits_parse_pids(const char *value, uint64_t *ret, struct err *err); // "-1", "0": no limit
int limits_parse_list(const char *value, char **ret, struct err *err);    // "0-3,5", sorted
int limits_add_io_max(struct limits *l, const char *value, struct err *err);
int limits_add_hugetlb(struct limits *l, const char *value, struct err *err);
int limits_add_set(struct limits *l, const char *value, struct err *err);

// What can only be said of all together (--memory-swap without --memory, below it).
int limits_check(const struct limits *l, struct err *err);

// One file to write.
struct limit_file {
    const char *option;  // "--memory"
    unsigned controller; // one CONTROLLER_*; 0: the core's own
    char *file;          // "memory.max"
    char *value;         // what to write; for io.max without the device in front
    const char *device;  // io.max: the device as the user named it (borrowed)
    bool visible;        // programs read it to learn how much they may use
    bool asked;          // false: it follows from another option, and is left out where the kernel
                         // has no such file
};

struct limit_files {
    struct limit_file *v;
    size_t n;
};

void limits_files(const struct limits *l, struct limit_files *ret);
void limit_files_done(struct limit_files *f);
#define AUTO_LIMIT_FILES AUTO(limit_files_done)

// The controllers that the files need, as bits.
unsigned limit_files_controllers(const struct limit_files *f);

// Whether anything at all is asked for.
bool limits_any(const struct limits *l);

// One CONTROLLER_* by its name in cgroup.controllers, 0 for one that is not known; and back.
unsigned limits_controller(const char *name, size_t n);
const char *limits_controller_name(unsigned controller);

// The controllers in a line such as "cpu memory pids", as bits; and back, parted by blanks, each
// with prefix in front.
unsigned limits_parse_controllers(const char *line);
void limits_format_controllers(unsigned mask, const char *prefix, struct buf *out);

// Calls fn for each number of a checked list; stops when fn returns false.
void limits_each_of_list(const char *list, bool (*fn)(void *ctx, unsigned n), void *ctx);

#endif
