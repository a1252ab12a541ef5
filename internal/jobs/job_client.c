// SPDX-License-Identifier: Apache-2.0
#include "internal/jobs/job_client.h"

#include "internal/base/buf.h"
#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/base/fd.h"
#include "internal/cgroup/host_leaf.h"
#include "internal/job/usage.h"
#include "internal/jobs/control_wire.h"
#include "internal/jobs/host_procs.h"
#include "internal/jobs/jobs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int not_running(const struct job_info *job, struct err *err)
{
    return err_set(err, ESRCH, "the job %s does not run (%s)", job->record.id,
                   job_state_name(job->state));
}

int job_client_not_paused(const struct job_info *job, struct err *err)
{
    if (job->state != JOB_PAUSED)
        return 0;
    (void)err_set(err, EAGAIN, "the job %s is paused", job->record.id);
    return err_hint(err, "bryo unpause %s lets it go on", job->record.id);
}

int job_client_connect(const struct job_info *job, struct err *err)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    if (job->state != JOB_RUNNING && job->state != JOB_PAUSED)
        return not_running(job, err);
    AUTO_FD int dir = open(job->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    AUTO_FD int sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    (void)snprintf(addr.sun_path, sizeof(addr.sun_path), "/proc/self/fd/%d/%s", dir, JOBS_CONTROL);
    if (dir < 0 || sock < 0 || connect(sock, (struct sockaddr *)&addr, sizeof(addr)) < 0)
        return err_sys(err, errno, "cannot talk to the bryo that runs the job %s", job->record.id);
    return TAKE_FD(sock);
}

// One that ends at this moment does not answer either.
static int ask(const struct job_info *job, int sock, const struct control_msg *request,
               struct err *err)
{
    struct control_msg reply;
    int fds[CONTROL_FDS];
    int r = control_send(sock, 0, request, NULL, NULL, 0);
    if (r == 0)
        r = control_recv(sock, 0, &reply, NULL, fds);
    if (r == -EPIPE || r == -ECONNRESET)
        return err_set(err, ESRCH, "the job %s does not run any more", job->record.id);
    return r < 0 ? err_sys(err, -r, "the bryo that runs the job does not answer") : 0;
}

int job_client_signal(const struct job_info *job, int sig, struct err *err)
{
    AUTO_FD int sock = job_client_connect(job, err);
    struct control_msg msg = {.type = CONTROL_SIGNAL, .number = sig};
    return sock < 0 ? sock : ask(job, sock, &msg, err);
}

static int freeze(const struct job_info *job, bool pause, struct err *err)
{
    AUTO_FD int dir = open(job->record.cgroup, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int r = dir < 0 ? -errno : host_cgroup_freeze(dir, pause);
    return r < 0 ? err_sys(err, -r, "cannot %s the job's cgroup %s", pause ? "freeze" : "thaw",
                           job->record.cgroup)
                 : 0;
}

static int stop_by_signal(const struct job_info *job, bool pause, struct err *err)
{
    AUTO_FD int dir = open(job->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int r = job_client_signal(job, pause ? SIGSTOP : SIGCONT, err);
    if (r == 0 && pause)
        (void)fd_create_file(dir, JOBS_PAUSED, 0600, "", 0);
    if (r == 0 && !pause)
        (void)unlinkat(dir, JOBS_PAUSED, 0);
    return r;
}

int job_client_pause(const struct job_info *job, bool pause, struct err *err)
{
    if (job->state != JOB_RUNNING && job->state != JOB_PAUSED)
        return not_running(job, err);
    if ((job->state == JOB_PAUSED) == pause)
        return err_set(err, EALREADY, "the job %s is %s", job->record.id,
                       pause ? "paused already" : "not paused");
    return *job->record.cgroup ? freeze(job, pause, err) : stop_by_signal(job, pause, err);
}

// Hears how it ended. 1, 0 when the time is over, -errno when its supervisor is gone.
static int hear_end(const struct job_info *job, uint64_t timeout_us, int *ret_status,
                    struct err *err)
{
    struct control_msg msg = {.type = CONTROL_WAIT};
    int fds[CONTROL_FDS];
    uint64_t ms = timeout_us / 1000;
    AUTO_FD int sock = job_client_connect(job, err);
    if (sock < 0)
        return sock;
    struct pollfd wait = {.fd = sock, .events = POLLIN};
    int r = control_send(sock, 0, &msg, NULL, NULL, 0);
    if (r == 0 && poll(&wait, 1, ms > INT_MAX ? -1 : (int)ms) == 0)
        return 0;
    if (r == 0)
        r = control_recv(sock, 0, &msg, NULL, fds);
    if (r < 0 || msg.type != CONTROL_ENDED)
        return err_set(err, ECONNRESET,
                       "the bryo that ran the job %s is gone without saying how it ended",
                       job->record.id);
    *ret_status = msg.number;
    return 1;
}

int job_client_wait(struct job_info *job, uint64_t timeout_us, int *ret_status, struct err *err)
{
    int r = job->state == JOB_EXITED ? -ESRCH : hear_end(job, timeout_us, ret_status, err);
    if (r >= 0)
        return r;
    // It may have ended just now: then it has left its result.
    if (job->state != JOB_EXITED && jobs_refresh(job) < 0)
        return r;
    if (job->state != JOB_EXITED)
        return r;
    *ret_status = job->exit_status;
    return 1;
}

int job_client_usage(const struct job_info *job, struct usage *ret, struct err *err)
{
    struct leaf leaf = LEAF_INIT;
    usage_init(ret);
    if (!*job->record.cgroup) {
        host_procs_usage((pid_t)job->record.init, ret);
        return 0;
    }
    AUTO_FD int dir = open(job->record.cgroup, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0)
        return err_sys(err, errno, "cannot read %s", job->record.cgroup);
    leaf.outer = dir;
    host_leaf_usage(&leaf, ret);
    return 0;
}
