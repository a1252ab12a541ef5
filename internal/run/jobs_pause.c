// SPDX-License-Identifier: Apache-2.0
#include "internal/base/buf.h"
#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/cgroup/host_leaf.h"
#include "internal/run/host_procs.h"
#include "internal/run/jobs.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PIDS_MAX 65536
#define PASSES   50 // over processes that fork while they are stopped

static char state_of(pid_t pid)
{
    char path[64];
    char text[512];
    (void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
    if (n <= 0)
        return 'X';
    text[n] = '\0';
    const char *behind = strrchr(text, ')'); // the name may hold anything
    return behind && behind[1] == ' ' ? behind[2] : 'X';
}

static bool is_at_rest(char state)
{
    return state == 'T' || state == 'Z' || state == 'X';
}

// Again and again, until all that is there stands still: what was forked meanwhile too.
static int stop_all(pid_t init, pid_t *pids)
{
    for (int pass = 0; pass < PASSES; pass++) {
        size_t n = host_procs_pids(init, pids, PIDS_MAX);
        bool all = true;
        for (size_t i = 0; i < n; i++) {
            if (is_at_rest(state_of(pids[i])))
                continue;
            all = false;
            if (kill(pids[i], SIGSTOP) < 0 && errno != ESRCH)
                return -errno;
        }
        if (all)
            return 0;
        (void)usleep(2000);
    }
    return -ETIMEDOUT;
}

static int continue_all(pid_t init, pid_t *pids)
{
    size_t n = host_procs_pids(init, pids, PIDS_MAX);
    int r = 0;
    for (size_t i = n; i-- > 0;) // children first: a shell that goes on would see them stopped
        if (kill(pids[i], SIGCONT) < 0 && errno != ESRCH)
            r = -errno;
    return r;
}

static int by_signal(const struct job_record *record, bool pause)
{
    AUTO_FREE pid_t *pids = mem_grow(NULL, PIDS_MAX, sizeof(*pids));
    return pause ? stop_all(record->init, pids) : continue_all(record->init, pids);
}

int jobs_pause(const struct job_record *record, bool pause, struct err *err)
{
    AUTO_FD int dir =
        *record->cgroup ? open(record->cgroup, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    int r = dir >= 0 ? host_cgroup_freeze(dir, pause) : -ENOENT;
    if (r == -ETIMEDOUT)
        return err_set(err, ETIMEDOUT,
                       "the job %s does not stand still: a process of it is held up "
                       "in the kernel",
                       record->id);
    if (r < 0)
        r = by_signal(record, pause);
    return r < 0
               ? err_sys(err, -r, "cannot %s the job %s", pause ? "pause" : "continue", record->id)
               : 0;
}
