// SPDX-License-Identifier: Apache-2.0
#include "internal/jobs/job_log.h"

#include "internal/base/buf.h"
#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/base/fd.h"
#include "internal/base/loop.h"
#include "internal/jobs/job_client.h"
#include "internal/jobs/jobs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { CHUNK = 65536, LOOK_EVERY_US = 50000 };

void job_log_close(struct job_log *l)
{
    fd_closep(&l->fd);
}

// Walks back from the end until so many line ends have been passed.
static off_t start_of_tail(int fd, uint64_t lines)
{
    char chunk[4096];
    off_t at = lseek(fd, 0, SEEK_END);
    bool last = true; // the newline that ends the last line begins no other
    while (at > 0) {
        size_t n = at < (off_t)sizeof(chunk) ? (size_t)at : sizeof(chunk);
        ssize_t got = pread(fd, chunk, n, at - (off_t)n);
        if (got <= 0)
            return 0;
        for (ssize_t i = got - 1; i >= 0; i--) {
            if (chunk[i] == '\n' && !last && --lines == 0)
                return at - (off_t)n + i + 1;
            last = false;
        }
        at -= (off_t)n;
    }
    return 0;
}

int job_log_open(struct job_log *l, const struct job_info *job, uint64_t tail, struct err *err)
{
    AUTO_FREE char *path = str_fmt("%s/%s", job->path, JOBS_LOG);
    l->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (l->fd < 0 && errno == ENOENT) {
        (void)err_set(err, ENOENT, "the job %s has no log: it prints where it was started",
                      job->record.id);
        return err_hint(err, "bryo run --detach starts one with a log");
    }
    if (l->fd < 0)
        return err_sys(err, errno, "cannot read %s", path);
    off_t at = tail == 0           ? lseek(l->fd, 0, SEEK_END)
               : tail < UINT64_MAX ? start_of_tail(l->fd, tail)
                                   : 0;
    return lseek(l->fd, at, SEEK_SET) < 0 ? err_sys(err, errno, "cannot read %s", path) : 0;
}

int job_log_print(struct job_log *l)
{
    AUTO_FREE char *chunk = mem_alloc(CHUNK);
    for (;;) {
        ssize_t n = read(l->fd, chunk, CHUNK);
        if (n <= 0)
            return n < 0 ? -errno : 0;
        int r = fd_write_all(STDOUT_FILENO, chunk, (size_t)n);
        if (r < 0)
            return r;
    }
}

static int on_time(void *ctx)
{
    struct job_log *l = ctx;
    int r = job_log_print(l);
    if (r < 0)
        return r;
    r = loop_at(l->loop, loop_now_us() + LOOK_EVERY_US, on_time, l);
    return r < 0 ? r : 0;
}

int job_log_follow(struct job_log *l, struct loop *loop, struct err *err)
{
    l->loop = loop;
    int r = on_time(l);
    return r < 0 ? err_sys(err, -r, "cannot follow the job's log") : 0;
}

static int on_end(void *ctx, uint32_t events)
{
    (void)events;
    loop_stop(ctx);
    return 0;
}

// The supervisor speaks to its connections when the job is over and all it printed is written.
static int follow_to_end(struct job_log *l, const struct job_info *job, struct err *err)
{
    struct loop *loop = NULL;
    AUTO_FD int sock = job_client_connect(job, NULL);
    if (sock < 0)
        return job_log_print(l);
    int r = loop_new(&loop);
    if (r == 0)
        r = loop_add(loop, sock, EPOLLIN, on_end, loop);
    if (r == 0)
        r = job_log_follow(l, loop, err);
    if (r == 0)
        r = loop_run(loop);
    loop_free(loop);
    return r == 0 ? job_log_print(l) : r;
}

int job_client_logs(const struct job_info *job, bool follow, uint64_t tail, struct err *err)
{
    struct job_log l = JOB_LOG_NONE;
    int r = job_log_open(&l, job, tail, err);
    if (r < 0)
        return r;
    r = follow ? follow_to_end(&l, job, err) : job_log_print(&l);
    job_log_close(&l);
    return r < 0 && r != -EPIPE ? err_sys(err, -r, "cannot print the log") : 0;
}
