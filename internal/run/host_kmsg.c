// SPDX-License-Identifier: Apache-2.0
#include "internal/run/host_kmsg.h"

#include "internal/base/buf.h"
#include "internal/base/cleanup.h"
#include "internal/base/fd.h"
#include "internal/base/loop.h"
#include "internal/base/parse.h"
#include "internal/job/idmap.h"
#include "internal/run/verdict.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#define RECORD_MAX    8192
#define AUDIT_WAIT_US 1000000
#define TICK_MS       10

// The number behind "key", of the given base's digits; -1 where there is none.
static int64_t number_after(const char *text, const char *key)
{
    const char *at = strstr(text, key);
    uint64_t n = 0;
    if (!at)
        return -1;
    at += strlen(key);
    size_t digits = strspn(at, "0123456789");
    return digits && parse_u64n(at, digits, 0, INT64_MAX, &n) == 0 ? (int64_t)n : -1;
}

static uint32_t hex_after(const char *text, const char *key)
{
    const char *at = strstr(text, key);
    uint32_t n = 0;
    for (at = at ? at + strlen(key) : ""; *at; at++) {
        const char *digits = "0123456789abcdef";
        const char *digit = strchr(digits, *at);
        if (!digit)
            break;
        n = n * 16 + (uint32_t)(digit - digits);
    }
    return n;
}

// "oom-kill:...,task_memcg=/a/bryo-ID/job,task=NAME,pid=N,uid=N", then
// "Memory cgroup out of memory: Killed process N (NAME) total-vm:1kB, anon-rss:2kB, file-rss:3kB,
// shmem-rss:4kB, ..."
static void take_oom(const char *text, const char *leaf, struct evidence *e)
{
    const char *memcg = strstr(text, "task_memcg=");
    const char *task = memcg ? strstr(memcg, ",task=") : NULL;
    if (!task || !*leaf || e->victim_name[0]) // the first is told of
        return;
    AUTO_FREE char *where = str_dupn(memcg, (size_t)(task - memcg));
    AUTO_FREE char *wanted = str_fmt("/%s/", leaf);
    if (!strstr(where, wanted))
        return;
    task += strlen(",task=");
    (void)snprintf(e->victim_name, sizeof(e->victim_name), "%.*s", (int)strcspn(task, ","), task);
}

static void take_size(const char *text, struct evidence *e)
{
    static const char *const parts[] = {"anon-rss:", "file-rss:", "shmem-rss:"};
    AUTO_FREE char *name = str_fmt("(%s)", e->victim_name);
    if (!e->victim_name[0] || e->victim_bytes || !strstr(text, name))
        return;
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        int64_t kib = number_after(text, parts[i]);
        e->victim_bytes += kib > 0 ? (uint64_t)kib * 1024 : 0;
    }
}

// AUDIT_SECCOMP: "audit: type=1326 ... uid=N gid=N ses=N ... pid=N comm="X" exe="X" sig=31
// arch=c000003e syscall=N ...". A filter that only logs a call leaves one too, with sig=0; and
// others of the machine have filters of their own, whose users are none of the job's. The time of
// the record itself counts: that of the log (printk's) goes by another clock than any that a
// program has, and is seconds off after some weeks.
static uint64_t audit_ms(const char *text)
{
    int64_t s = number_after(text, " audit(");
    const char *dot = s < 0 ? NULL : strchr(strstr(text, " audit("), '.');
    int64_t ms = dot ? number_after(dot, ".") : -1;
    return ms < 0 || ms > 999 || s > INT64_MAX / 1000 - 1 ? 0 : (uint64_t)s * 1000 + (uint64_t)ms;
}

static void take_audit(const char *text, const struct kmsg_job *job, struct evidence *e)
{
    uint32_t inside = 0;
    int64_t uid = number_after(text, " uid=");
    int64_t number = number_after(text, " syscall=");
    // (the kernel's coarse clock is a tick behind)
    if (!job->uids || audit_ms(text) + TICK_MS < job->from_ms || uid < 0 || uid > UINT32_MAX ||
        !idmap_to_inside(job->uids, (uint32_t)uid, &inside) || !strstr(text, " sig=31 ") ||
        number < 0 || number > INT_MAX)
        return;
    e->syscall = (int)number;
    e->syscall_arch = hex_after(text, " arch=");
}

void host_kmsg_take(const char *record, const struct kmsg_job *job, struct evidence *e)
{
    const char *text = strchr(record, ';');
    if (!text)
        return;
    // (what follows a line are the record's properties)
    AUTO_FREE char *line = str_dupn(text + 1, strcspn(text + 1, "\n"));
    if (strstr(line, "oom-kill:"))
        take_oom(line, job->leaf, e);
    else if (strstr(line, "Killed process "))
        take_size(line, e);
    else if (strstr(line, "type=1326"))
        take_audit(line, job, e);
}

// A thread of the kernel's brings audit records into the log, after the process is gone.
static bool wait_for_more(int fd, const struct kmsg_job *job, const struct evidence *e,
                          uint64_t end)
{
    uint64_t now = loop_now_us();
    struct pollfd p = {.fd = fd, .events = POLLIN};
    return job->forbidden && e->syscall < 0 && now < end &&
           poll(&p, 1, (int)((end - now) / 1000) + 1) > 0;
}

void host_kmsg_read(const struct kmsg_job *job, struct evidence *ret)
{
    AUTO_FD int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    char record[RECORD_MAX];
    uint64_t end = loop_now_us() + AUDIT_WAIT_US;
    while (fd >= 0) {
        ssize_t n = read(fd, record, sizeof(record) - 1);
        if (n < 0 && errno == EPIPE) // overwritten while it was read: the next one
            continue;
        if (n < 0 && errno == EAGAIN && wait_for_more(fd, job, ret, end))
            continue;
        if (n <= 0)
            return;
        record[n] = '\0';
        host_kmsg_take(record, job, ret);
    }
}
