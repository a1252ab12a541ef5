// SPDX-License-Identifier: Apache-2.0
#include "internal/run/observe.h"

#include "internal/base/buf.h"
#include "internal/base/cleanup.h"
#include "internal/base/loop.h"
#include "internal/cgroup/host_leaf.h"
#include "internal/job/result.h"
#include "internal/job/spec.h"
#include "internal/run/host_kmsg.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#define LOOK_INTERVAL_US (UINT64_C(100) * 1000)

// --- memory -------------------------------------------------------------------------------------

static void find_largest(struct observer *o)
{
    AUTO_FREE struct seen_process *p = mem_grow(NULL, EVIDENCE_PROCESSES, sizeof(*p));
    size_t n = host_procs_below(supervisor_init(o->supervisor), p, EVIDENCE_PROCESSES);
    size_t best = n;
    for (size_t i = 0; i < n; i++)
        if (p[i].rss_bytes && (best == n || p[i].rss_bytes > p[best].rss_bytes))
            best = i;
    if (best < n)
        o->evidence.largest = p[best];
}

// The kernel tells of every change of memory.events, and the limit is hit a good while before a
// process has to be killed: who is the largest now is the one that will be.
static int on_memory_event(void *ctx, uint32_t events)
{
    struct observer *o = ctx;
    char text[512];
    (void)events;
    if (pread(o->memory_events, text, sizeof(text), 0) < 0) // reading is what clears the event
        loop_remove(o->loop, o->memory_events);
    uint64_t now = loop_now_us();
    if (now - o->looked_at_us < LOOK_INTERVAL_US)
        return 0;
    o->looked_at_us = now;
    find_largest(o);
    return 0;
}

static uint64_t realtime_ms(void)
{
    struct timespec t = {0};
    (void)clock_gettime(CLOCK_REALTIME, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static int start(void *ctx, struct loop *loop, struct supervisor *s, struct err *err)
{
    struct observer *o = ctx;
    (void)err;
    o->loop = loop;
    o->supervisor = s;
    o->from_ms = realtime_ms();
    if (o->leaf->outer < 0)
        return 0;
    o->memory_events = openat(o->leaf->outer, "memory.events", O_RDONLY | O_CLOEXEC);
    if (o->memory_events >= 0 && loop_add(loop, o->memory_events, EPOLLPRI, on_memory_event, o) < 0)
        fd_closep(&o->memory_events);
    return 0;
}

// --- the end ------------------------------------------------------------------------------------

static void look(struct seen_process **list, size_t *n, pid_t init)
{
    free(*list);
    *list = mem_grow(NULL, EVIDENCE_PROCESSES, sizeof(**list));
    *n = host_procs_below(init, *list, EVIDENCE_PROCESSES);
}

static void on_asked(void *ctx, pid_t init, const struct signalfd_siginfo *from)
{
    struct observer *o = ctx;
    struct evidence *e = &o->evidence;
    // A job that is paused could not even hear that it is asked.
    if (o->leaf->outer >= 0)
        (void)host_cgroup_freeze(o->leaf->outer, false);
    if (!from) {
        look(&e->running, &e->n_running, init);
    } else if (!e->signal || e->signal_by_request) {
        e->signal_by_request = false;
        e->signal = (int)from->ssi_signo;
        e->signal_code = from->ssi_code;
        e->signal_uid = from->ssi_uid;
        e->signal_pid = (int)from->ssi_pid;
        host_procs_name(e->signal_pid, e->signal_name, sizeof(e->signal_name));
    }
}

static void on_signalled(void *ctx, const struct signal_sender *from)
{
    struct evidence *e = &((struct observer *)ctx)->evidence;
    // bryo stop asks first and kills then: the last is the one that counts
    if (e->signal && !e->signal_by_request)
        return;
    e->signal_by_request = true;
    e->signal = from->sig;
    e->signal_uid = from->uid;
    e->signal_pid = (int)from->pid;
    host_procs_name(e->signal_pid, e->signal_name, sizeof(e->signal_name));
}

static void on_grace_over(void *ctx, pid_t init)
{
    struct observer *o = ctx;
    o->evidence.grace_over = true;
    look(&o->evidence.held_on, &o->evidence.n_held_on, init);
}

struct supervise_part observer_part(struct observer *o, const struct leaf *leaf)
{
    *o = (struct observer){.leaf = leaf, .memory_events = -1, .evidence = {.syscall = -1}};
    return (struct supervise_part){.start = start,
                                   .asked_to_end = on_asked,
                                   .signalled = on_signalled,
                                   .grace_over = on_grace_over,
                                   .ctx = o};
}

static void look_at_scratch(struct evidence *e, const char *path)
{
    struct statvfs fs;
    if (!path || statvfs(path, &fs) < 0)
        return;
    e->scratch_known = true;
    e->scratch_free_bytes = (uint64_t)fs.f_bavail * fs.f_frsize;
    // Some file systems count no inodes: all three figures are 0.
    e->scratch_full =
        e->scratch_free_bytes < SPACE_LOW_BYTES || (fs.f_files > 0 && fs.f_favail == 0);
    (void)snprintf(e->scratch_path, sizeof(e->scratch_path), "%s", path);
}

static bool seems_forbidden(const struct job_result *r)
{
    return r->outcome == OUTCOME_SIGNAL ? r->signal == SIGSYS
                                        : r->outcome == OUTCOME_EXITED && r->status == 128 + SIGSYS;
}

void observer_conclude(struct observer *o, const struct job_spec *spec, const struct idmap *uids,
                       const char *scratch, struct job_result *result)
{
    if (result->outcome == OUTCOME_EXITED && result->status == 0)
        return;
    look_at_scratch(&o->evidence, scratch);
    const struct usage *u = &result->usage;
    const struct kmsg_job job = {.leaf = o->leaf->name,
                                 .from_ms = o->from_ms,
                                 .uids = uids,
                                 .forbidden = seems_forbidden(result)};
    if (job.forbidden || (u->oom_kills != USAGE_UNKNOWN && u->oom_kills > 0))
        host_kmsg_read(&job, &o->evidence);
    verdict_make(spec, &o->evidence, result);
}

void observer_done(struct observer *o)
{
    free(o->evidence.running);
    free(o->evidence.held_on);
    if (o->loop)
        fd_closep(&o->memory_events);
    *o = (struct observer){.memory_events = -1};
}
