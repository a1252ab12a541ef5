// SPDX-License-Identifier: Apache-2.0
#include "internal/jobs/log_times.h"

#include "internal/base/cleanup.h"
#include "internal/base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

enum { BETWEEN_US = 10000 };

int log_times_create(int dir, struct log_times *ret)
{
    ret->fd = openat(dir, JOBS_TIMES, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    return ret->fd < 0 ? -errno : 0;
}

void log_times_mark(struct log_times *t, int log)
{
    struct timespec now;
    off_t size = t->fd < 0 ? -1 : lseek(log, 0, SEEK_END);
    if (size < 0 || clock_gettime(CLOCK_REALTIME, &now) < 0)
        return;
    struct log_mark mark = {.time_us =
                                (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000,
                            .offset = (uint64_t)size};
    // (a clock that was set back makes one, too)
    if (mark.time_us >= t->last_us && mark.time_us - t->last_us < BETWEEN_US)
        return;
    t->last_us = mark.time_us;
    if (fd_write_all(t->fd, &mark, sizeof(mark)) < 0)
        fd_closep(&t->fd); // a part of a mark may stand there: what followed could not be read
}

void log_times_close(struct log_times *t)
{
    fd_closep(&t->fd);
}

int log_marks_read(int fd, struct log_marks *m)
{
    for (;;) {
        struct log_mark some[256];
        ssize_t got = pread(fd, some, sizeof(some), (off_t)(m->n * sizeof(some[0])));
        if (got < 0)
            return -errno;
        size_t n = (size_t)got / sizeof(some[0]);
        if (n == 0)
            return 0;
        log_marks_add(m, some, n);
    }
}
