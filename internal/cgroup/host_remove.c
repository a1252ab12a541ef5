// SPDX-License-Identifier: Apache-2.0
// The end of a cgroup: kill, wait, remove; and freezing. Host side.
#include "internal/base/buf.h"
#include "internal/base/cleanup.h"
#include "internal/base/fd.h"
#include "internal/base/loop.h"
#include "internal/base/parse.h"
#include "internal/cgroup/host_leaf.h"
#include "internal/job/usage.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define EVENTS_WAIT_MS 5000 // for processes that die, or reach a point where they can be frozen
#define DEPTH_MAX      64
#define FILE_MAX       (1 << 20)

static int open_dir(int parent, const char *name)
{
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

// Waits until a key of cgroup.events has this value; the kernel tells of changes by POLLPRI.
static int wait_event(int dir, const char *key, uint64_t value)
{
    AUTO_FD int events = openat(dir, "cgroup.events", O_RDONLY | O_CLOEXEC);
    if (events < 0)
        return -errno;
    uint64_t end = loop_now_us() + (uint64_t)EVENTS_WAIT_MS * 1000;
    for (;;) {
        char text[256];
        ssize_t n = pread(events, text, sizeof(text) - 1, 0);
        if (n < 0)
            return -errno;
        text[n] = '\0';
        if (usage_keyed(text, key) == value)
            return 0;
        uint64_t now = loop_now_us();
        if (now >= end)
            return -ETIMEDOUT;
        struct pollfd p = {.fd = events, .events = POLLPRI};
        (void)poll(&p, 1, (int)((end - now) / 1000) + 1);
    }
}

int host_cgroup_freeze(int dir, bool freeze)
{
    int r = fd_write_file(dir, "cgroup.freeze", freeze ? "1" : "0", 1);
    return r < 0 ? r : wait_event(dir, "frozen", freeze);
}

typedef int each_fn(int parent, const char *name, unsigned depth);

// Calls fn for each cgroup below dir; returns the first failure.
static int each_child(int dir, unsigned depth, each_fn *fn)
{
    int r = 0;
    int again = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    AUTO_DIR DIR *list = again < 0 ? NULL : fdopendir(again);
    struct dirent *ent;
    while (list && (ent = readdir(list))) { // NOLINT(concurrency-mt-unsafe): a stream of our own
        if (ent->d_type != DT_DIR || strcmp(ent->d_name, ".") == 0 ||
            strcmp(ent->d_name, "..") == 0)
            continue;
        int one = fn(dir, ent->d_name, depth);
        if (r == 0)
            r = one;
    }
    return r;
}

// Before Linux 5.14: one by one, as often as needed.
static int kill_each(int parent, const char *name, unsigned depth)
{
    AUTO_FD int dir = open_dir(parent, name);
    AUTO_BUF struct buf pids = {0};
    if (dir < 0 || depth > DEPTH_MAX)
        return 0;
    (void)fd_read_file(dir, "cgroup.procs", FILE_MAX, &pids);
    for (const char *at = buf_str(&pids); *at;) {
        uint64_t pid = 0;
        size_t n = strcspn(at, "\n");
        if (parse_u64n(at, n, 1, INT32_MAX, &pid) == 0)
            (void)kill((pid_t)pid, SIGKILL);
        at += n + (at[n] == '\n');
    }
    return each_child(dir, depth + 1, kill_each);
}

static void kill_below(int parent, const char *name)
{
    AUTO_FD int dir = open_dir(parent, name);
    if (dir < 0)
        return;
    if (fd_write_file(dir, "cgroup.kill", "1", 1) == 0) {
        (void)wait_event(dir, "populated", 0);
        return;
    }
    for (int i = 0; i < 100; i++) {
        (void)kill_each(parent, name, 0);
        struct pollfd none = {.fd = -1};
        AUTO_BUF struct buf events = {0};
        if (fd_read_file(dir, "cgroup.events", 4096, &events) < 0 ||
            usage_keyed(buf_str(&events), "populated") == 0)
            return;
        (void)poll(&none, 0, 10);
    }
}

static int remove_tree(int parent, const char *name, unsigned depth)
{
    if (unlinkat(parent, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
        return 0;
    int r = -errno;
    AUTO_FD int dir = open_dir(parent, name);
    if (dir < 0 || depth > DEPTH_MAX)
        return r;
    (void)each_child(dir, depth + 1, remove_tree);
    return unlinkat(parent, name, AT_REMOVEDIR) < 0 && errno != ENOENT ? -errno : 0;
}

int host_cgroup_remove(int parent, const char *name)
{
    // As a rule all has ended and nothing was made inside.
    int r = remove_tree(parent, name, 0);
    if (r == 0)
        return 0;
    kill_below(parent, name);
    return remove_tree(parent, name, 0);
}

static bool is_leaf(const char *name)
{
    return strncmp(name, "bryo-", 5) == 0 && strlen(name) == 17 &&
           strspn(name + 5, "0123456789abcdef") == 12;
}

void host_cgroup_sweep(int place, const char *own)
{
    int again = openat(place, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    AUTO_DIR DIR *list = again < 0 ? NULL : fdopendir(again);
    struct dirent *ent;
    while (list && (ent = readdir(list))) { // NOLINT(concurrency-mt-unsafe): a stream of our own
        if (!is_leaf(ent->d_name) || strcmp(ent->d_name, own) == 0)
            continue;
        AUTO_FD int dir = open_dir(place, ent->d_name);
        if (dir >= 0 && flock(dir, LOCK_EX | LOCK_NB) == 0)
            (void)host_cgroup_remove(place, ent->d_name);
    }
}
