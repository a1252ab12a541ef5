// SPDX-License-Identifier: Apache-2.0
// Options about limits: a line "N VALUE" is option N. What is accepted is written to files whose
// names stay in the cgroup, in values of one line.
#include "internal/job/limits.h"
#include "internal/base/cleanup.h"
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

static int apply(struct limits *l, char option, const char *value, struct err *err)
{
    switch (option) {
    case '0':
        return limits_parse_memory(value, &l->memory, err);
    case '1':
        return limits_parse_memory(value, &l->memory_swap, err);
    case '2':
        return limits_parse_cpus(value, &l->cpu_quota_us, err);
    case '3':
        return limits_parse_weight(value, &l->io_weight, err);
    case '4':
        return limits_parse_list(value, &l->cpuset_cpus, err);
    case '5':
        return limits_parse_pids(value, &l->pids, err);
    case '6':
        return limits_add_io_max(l, value, err);
    case '7':
        return limits_add_hugetlb(l, value, err);
    default:
        return limits_add_set(l, value, err);
    }
}

static bool count(void *ctx, unsigned n)
{
    require(n < 8192);
    ++*(unsigned *)ctx;
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_FREE char *text = str_dupn((const char *)data, size);
    AUTO_LIMIT_FILES struct limit_files files = {0};
    char *rest = NULL;
    struct limits l;
    limits_init(&l);
    for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        struct err err = {0};
        if (strlen(line) < 2)
            continue;
        int r = apply(&l, line[0], line + 2, &err);
        require(r == 0 ? err.num == 0 : r == -err.num && err.text[0]);
    }
    if (limits_check(&l, NULL) == 0) {
        limits_files(&l, &files);
        for (size_t i = 0; i < files.n; i++) {
            require(!strchr(files.v[i].file, '/') && files.v[i].file[0] != '.');
            require(files.v[i].value[0] && !strchr(files.v[i].value, '\n'));
        }
    }
    unsigned n = 0;
    if (l.cpuset_cpus)
        limits_each_of_list(l.cpuset_cpus, count, &n);
    limits_done(&l);
    return 0;
}
