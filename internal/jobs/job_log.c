// SPDX-License-Identifier: Apache-2.0
#include "internal/jobs/job_log.h"

#include "internal/base/buf.h"
#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/base/fd.h"
#include "internal/base/loop.h"
#include "internal/base/moment.h"
#include "internal/jobs/job_client.h"
#include "internal/jobs/jobs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

enum { CHUNK = 65536, LOOK_EVERY_US = 50000 };

void job_log_close(struct job_log *l)
{
    fd_closep(&l->fd);
    fd_closep(&l->times);
    log_marks_done(&l->marks);
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

// Whether lines have to be looked at one by one.
static bool by_lines(const struct job_log_view *v)
{
    return v->timestamps || v->since_us || v->until_us != UINT64_MAX;
}

static int open_times(struct job_log *l, const struct job_info *job, struct err *err)
{
    AUTO_FREE char *path = str_fmt("%s/%s", job->path, JOBS_TIMES);
    l->times = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (l->times < 0)
        return err_sys(err, errno, "when the job %s printed its lines is not known",
                       job->record.id);
    return 0;
}

int job_log_open(struct job_log *l, const struct job_info *job, const struct job_log_view *view,
                 struct err *err)
{
    AUTO_FREE char *path = str_fmt("%s/%s", job->path, JOBS_LOG);
    l->view = *view;
    l->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (l->fd < 0 && errno == ENOENT) {
        (void)err_set(err, ENOENT, "the job %s has no log: it prints where it was started",
                      job->record.id);
        return err_hint(err, "bryo run --detach starts one with a log");
    }
    if (l->fd < 0)
        return err_sys(err, errno, "cannot read %s", path);
    off_t at = view->tail == 0           ? lseek(l->fd, 0, SEEK_END)
               : view->tail < UINT64_MAX ? start_of_tail(l->fd, view->tail)
                                         : 0;
    if (lseek(l->fd, at, SEEK_SET) < 0)
        return err_sys(err, errno, "cannot read %s", path);
    l->at = (uint64_t)at;
    return by_lines(view) ? open_times(l, job, err) : 0;
}

static void begin_line(struct job_log *l, struct buf *out)
{
    char text[MOMENT_TEXT];
    uint64_t time = log_marks_at(&l->marks, l->at);
    l->over = time > l->view.until_us;
    l->hidden = time < l->view.since_us || l->over;
    l->inside_line = true;
    if (l->view.timestamps && !l->hidden)
        buf_addf(out, "%s ", moment_format(time, text));
}

static void add_lines(struct job_log *l, const char *chunk, size_t n, struct buf *out)
{
    while (n && !l->over) {
        if (!l->inside_line)
            begin_line(l, out);
        const char *end = memchr(chunk, '\n', n);
        size_t len = end ? (size_t)(end - chunk) + 1 : n;
        if (!l->hidden)
            buf_add(out, chunk, len);
        l->inside_line = !end;
        l->at += len;
        chunk += len;
        n -= len;
    }
}

// The marks are read after the text that they tell of: they were written before it.
static int print_lines(struct job_log *l, const char *chunk, size_t n)
{
    AUTO_BUF struct buf out = {0};
    int r = log_marks_read(l->times, &l->marks);
    if (r < 0)
        return r;
    add_lines(l, chunk, n, &out);
    return out.len ? fd_write_all(STDOUT_FILENO, out.data, out.len) : 0;
}

int job_log_print(struct job_log *l)
{
    AUTO_FREE char *chunk = mem_alloc(CHUNK);
    while (!l->over) {
        ssize_t n = read(l->fd, chunk, CHUNK);
        if (n <= 0)
            return n < 0 ? -errno : 0;
        int r = by_lines(&l->view) ? print_lines(l, chunk, (size_t)n)
                                   : fd_write_all(STDOUT_FILENO, chunk, (size_t)n);
        if (r < 0)
            return r;
    }
    return 0;
}

static bool is_past(uint64_t us)
{
    struct timespec now;
    return us != UINT64_MAX && clock_gettime(CLOCK_REALTIME, &now) == 0 &&
           (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000 > us;
}

static int on_time(void *ctx)
{
    struct job_log *l = ctx;
    bool past = is_past(l->view.until_us); // before what there is is printed
    int r = job_log_print(l);
    if (r < 0)
        return r;
    if (past || l->over) {
        loop_stop(l->loop);
        return 0;
    }
    r = loop_at(l->loop, loop_now_us() + LOOK_EVERY_US, on_time, l);
    return r < 0 ? r : 0;
}

int job_log_follow(struct job_log *l, struct loop *loop, struct err *err)
{
    l->loop = loop;
    int r = loop_at(loop, loop_now_us(), on_time, l);
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

int job_client_logs(const struct job_info *job, bool follow, const struct job_log_view *view,
                    struct err *err)
{
    struct job_log l = JOB_LOG_NONE;
    int r = job_log_open(&l, job, view, err);
    if (r < 0) {
        job_log_close(&l);
        return r;
    }
    r = follow ? follow_to_end(&l, job, err) : job_log_print(&l);
    job_log_close(&l);
    return r < 0 && r != -EPIPE ? err_sys(err, -r, "cannot print the log") : 0;
}
