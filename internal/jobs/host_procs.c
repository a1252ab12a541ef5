// SPDX-License-Identifier: Apache-2.0
#include "internal/jobs/host_procs.h"

#include "internal/base/buf.h"
#include "internal/base/cleanup.h"
#include "internal/base/fd.h"
#include "internal/base/parse.h"
#include "internal/job/usage.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define FILE_MAX (1 << 20)

static int read_proc(pid_t pid, const char *file, struct buf *out)
{
    AUTO_FREE char *path = str_fmt("/proc/%d/%s", (int)pid, file);
    return fd_read_file(AT_FDCWD, path, FILE_MAX, out);
}

// "12 13 14 " of one thread's children file.
static size_t take_pids(const char *text, pid_t *ret, size_t n, size_t max)
{
    while (*text && n < max) {
        uint64_t pid = 0;
        size_t digits = strspn(text, "0123456789");
        if (digits && parse_u64n(text, digits, 1, INT32_MAX, &pid) == 0)
            ret[n++] = (pid_t)pid;
        text += digits ? digits : 1;
    }
    return n;
}

// Children belong to the thread that forked them.
static size_t add_children(pid_t pid, pid_t *ret, size_t n, size_t max)
{
    char path[64];
    (void)snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
    AUTO_DIR DIR *tasks = opendir(path);
    struct dirent *ent;
    while (tasks && (ent = readdir(tasks))) { // NOLINT(concurrency-mt-unsafe): a stream of our own
        AUTO_BUF struct buf text = {0};
        if (ent->d_name[0] == '.')
            continue;
        (void)snprintf(path, sizeof(path), "task/%.20s/children", ent->d_name);
        if (read_proc(pid, path, &text) == 0)
            n = take_pids(buf_str(&text), ret, n, max);
    }
    return n;
}

size_t host_procs_pids(pid_t init, pid_t *ret, size_t max)
{
    if (init <= 0)
        return 0;
    size_t n = add_children(init, ret, 0, max);
    for (size_t i = 0; i < n; i++)
        n = add_children(ret[i], ret, n, max);
    return n;
}

void host_procs_name(pid_t pid, char *ret, size_t size)
{
    AUTO_BUF struct buf text = {0};
    *ret = '\0';
    if (pid > 0 && read_proc(pid, "comm", &text) == 0)
        (void)snprintf(ret, size, "%.*s", (int)strcspn(buf_str(&text), "\n"), buf_str(&text));
}

// The last number of "Key:\t1 2 3" in a status file, 0 where there is none.
static uint64_t last_number(const char *status, const char *key)
{
    const char *line = strstr(status, key);
    uint64_t value = 0;
    if (!line)
        return 0;
    line += strlen(key);
    size_t length = strcspn(line, "\n");
    for (size_t i = 0; i < length;) {
        size_t n = strspn(line + i, "0123456789");
        if (n)
            (void)parse_u64n(line + i, n, 0, UINT64_MAX, &value);
        i += n ? n : 1;
    }
    return value;
}

static bool look_at(pid_t pid, struct seen_process *p)
{
    AUTO_BUF struct buf status = {0};
    AUTO_BUF struct buf wchan = {0};
    pid_t child;
    *p = (struct seen_process){.pid = pid};
    if (read_proc(pid, "status", &status) < 0)
        return false;
    const char *state = strstr(buf_str(&status), "\nState:\t");
    p->state = state ? state[8] : '?';
    p->inside = (pid_t)last_number(buf_str(&status), "\nNSpid:");
    p->rss_bytes = last_number(buf_str(&status), "\nVmRSS:") * 1024;
    host_procs_name(pid, p->name, sizeof(p->name));
    p->leaf = add_children(pid, &child, 0, 1) == 0;
    // "0": it runs, or the kernel keeps it to itself
    if (read_proc(pid, "wchan", &wchan) == 0 && strcmp(buf_str(&wchan), "0") != 0)
        (void)snprintf(p->wchan, sizeof(p->wchan), "%s", buf_str(&wchan));
    return true;
}

size_t host_procs_below(pid_t init, struct seen_process *ret, size_t max)
{
    AUTO_FREE pid_t *pids = mem_grow(NULL, max, sizeof(*pids));
    size_t count = host_procs_pids(init, pids, max);
    size_t n = 0;
    for (size_t i = 0; i < count; i++)
        if (look_at(pids[i], &ret[n]))
            n++;
    return n;
}

// Fields 14 to 17 of proc_pid_stat(5), in ticks; those behind the name, which may hold anything.
static uint64_t ticks_of(pid_t pid)
{
    AUTO_BUF struct buf stat = {0};
    uint64_t sum = 0;
    const char *at = read_proc(pid, "stat", &stat) == 0 ? strrchr(buf_str(&stat), ')') : NULL;
    for (int field = 2; at && field < 17; field++) {
        at = strchr(at, ' ');
        uint64_t n = 0;
        if (!at)
            break;
        at++;
        if (field >= 13 && parse_u64n(at, strspn(at, "0123456789"), 0, UINT64_MAX, &n) == 0)
            sum += n;
    }
    return sum;
}

void host_procs_usage(pid_t init, struct usage *ret)
{
    enum { MOST = 4096 };
    long hz = sysconf(_SC_CLK_TCK);
    AUTO_FREE pid_t *pids = mem_grow(NULL, MOST, sizeof(*pids));
    size_t n = host_procs_pids(init, pids + 1, MOST - 1) + 1;
    uint64_t ticks = 0;
    pids[0] = init;
    usage_init(ret);
    ret->memory_bytes = 0;
    for (size_t i = 0; i < n; i++) {
        AUTO_BUF struct buf status = {0};
        ticks += ticks_of(pids[i]);
        if (read_proc(pids[i], "status", &status) == 0)
            ret->memory_bytes += last_number(buf_str(&status), "\nVmRSS:") * 1024;
    }
    ret->cpu_usage_us = ticks * 1000000 / (uint64_t)(hz > 0 ? hz : 100);
    ret->processes = n;
}
