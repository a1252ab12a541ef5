// SPDX-License-Identifier: Apache-2.0
#include "internal/run/settle.h"

#include "internal/base/err.h"
#include "internal/base/log.h"
#include "internal/base/loop.h"
#include "internal/base/proc.h"
#include "internal/image/store.h"
#include "internal/roots/layers.h"
#include "internal/roots/rootfs.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define AFTER_US 1000000U

static int nth_lock(const struct settle *s, size_t i)
{
    return i == 0 ? s->root->image.lock_fd : s->layers->locks[i - 1];
}

static size_t count(const struct settle *s)
{
    return 1 + (s->layers->locks ? s->layers->paths.n : 0);
}

static bool is_needed(const struct settle *s)
{
    for (size_t i = 0; i < count(s); i++)
        if (nth_lock(s, i) >= 0 && store_is_unsettled(nth_lock(s, i)))
            return true;
    return false;
}

// In a process of its own: syncfs(2) waits as long as the disk takes. It holds the entries' locks,
// as its parent does, and nothing that anybody waits for the end of.
static void settle_all(const struct settle *s, pid_t parent)
{
    struct err err = {0};
    int status = 0;
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
        _exit(0);
    for (int fd = 0; fd < 3; fd++)
        (void)close(fd);
    for (size_t i = 0; i < count(s); i++)
        if (nth_lock(s, i) >= 0 && store_settle(nth_lock(s, i), &err) < 0)
            status = 1;
    _exit(status);
}

static int on_time(void *ctx)
{
    struct settle *s = ctx;
    s->timer = 0;
    if (!is_needed(s))
        return 0;
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid == 0)
        settle_all(s, parent);
    s->pid = pid;
    return 0;
}

static int start(void *ctx, struct loop *loop, struct supervisor *supervisor, struct err *err)
{
    (void)supervisor;
    (void)err;
    struct settle *s = ctx;
    s->loop = loop;
    return 0;
}

static void job_started(void *ctx)
{
    struct settle *s = ctx;
    s->timer = loop_at(s->loop, loop_now_us() + AFTER_US, on_time, s);
}

static void job_ended(void *ctx)
{
    struct settle *s = ctx;
    loop_cancel(s->loop, s->timer > 0 ? s->timer : 0);
}

struct supervise_part settle_part(struct settle *s)
{
    return (struct supervise_part){
        .start = start, .job_started = job_started, .job_ended = job_ended, .ctx = s};
}

void settle_finish(struct settle *s)
{
    int status = 0;
    if (s->pid <= 0)
        return;
    if (proc_wait(s->pid, &status) == 0 && WIFEXITED(status) && WEXITSTATUS(status) != 0)
        log_note("the unpacked image could not be written to disk; the next run unpacks it again");
    s->pid = 0;
}
