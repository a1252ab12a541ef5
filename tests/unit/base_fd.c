// SPDX-License-Identifier: Apache-2.0
#include "internal/base/fd.h"

#include "internal/base/buf.h"
#include "tests/unit/scratch.h"
#include "tests/unit/tap.h"

#include <signal.h>

static void files(const struct scratch *s)
{
    AUTO_BUF struct buf b = {0};
    is_int(fd_create_file(s->fd, "f", 0640, "hello", 5), 0, "a file is made");
    is_int(fd_create_file(s->fd, "f", 0640, "x", 1), -EEXIST, "but never over another");
    is_int(fd_read_file(s->fd, "f", 100, &b), 0, "and read");
    is_str(buf_str(&b), "hello", "as it was written");
    is_int(fd_read_file(s->fd, "f", 5, &b), 0, "as much as allowed");
    is_str(buf_str(&b), "hellohello", "is appended");
    is_int(fd_read_file(s->fd, "f", 4, &b), -EFBIG, "more than allowed");
    is_int(fd_read_file(s->fd, "none", 5, &b), -ENOENT, "a missing file");
    ok(symlinkat("f", s->fd, "l") == 0 && mkfifoat(s->fd, "p", 0644) == 0, "a link and a FIFO");
    is_int(fd_read_file(s->fd, "l", 100, &b), -ELOOP, "a link is not followed");
    is_int(fd_read_file(s->fd, "p", 100, &b), -EINVAL, "a FIFO does not hang");
    is_int(fd_read_file(s->fd, ".", 100, &b), -EINVAL, "a directory is no file");
    is_int(fd_create_file(s->fd, "l", 0644, "x", 1), -EEXIST, "nor written through");
    is_int(fd_write_file(s->fd, "f", "J", 1), 0, "an existing file is written to");
    buf_clear(&b);
    (void)fd_read_file(s->fd, "f", 100, &b);
    is_str(buf_str(&b), "Jello", "and not cut");
    is_int(fd_write_file(s->fd, "none", "x", 1), -ENOENT, "but not made");
    buf_clear(&b);
    is_int(fd_read_file(AT_FDCWD, "/proc/self/status", 1 << 20, &b), 0, "a file of /proc");
    ok(strstr(buf_str(&b), "Uid:"), "whose size reads as 0");
}

// A megabyte through a pipe: more than one read or write takes.
static void whole_transfers(void)
{
    enum { N = 1 << 20 };
    int p[2];
    if (!ok(pipe2(p, O_CLOEXEC) == 0, "a pipe"))
        return;
    char *bytes = mem_alloc(N);
    for (int i = 0; i < N; i++)
        bytes[i] = (char)(i * 7);
    pid_t pid = fork();
    if (pid == 0) {
        (void)close(p[0]);
        _exit(fd_write_all(p[1], bytes, N) == 0 ? 0 : 1);
    }
    (void)close(p[1]);
    char *got = mem_alloc(N + 1);
    is_int(fd_read_full(p[0], got, N / 2), N / 2, "half of it");
    is_int(fd_read_full(p[0], got + N / 2, N), N / 2, "the other half, and the end");
    ok(memcmp(bytes, got, N) == 0, "the same bytes");
    (void)waitpid(pid, NULL, 0);
    (void)close(p[0]);
    free(bytes);
    free(got);
    (void)signal(SIGPIPE, SIG_IGN);
    is_int(fd_write_all(-1, "x", 1), -EBADF, "no descriptor");
    is_int(fd_write_all(-1, "x", 0), 0, "nothing to write");
}

static void nonblock(void)
{
    int p[2];
    char c;
    if (!ok(pipe2(p, O_CLOEXEC) == 0, "a pipe"))
        return;
    is_int(fd_set_nonblock(p[0], 1), 0, "non-blocking");
    is_int(fd_read_full(p[0], &c, 1), -EAGAIN, "does not wait");
    is_int(fd_set_nonblock(p[0], 0), 0, "blocking again");
    ok(!(fcntl(p[0], F_GETFL) & O_NONBLOCK), "by its flags");
    is_int(fd_set_nonblock(-1, 1), -EBADF, "no descriptor");
    (void)close(p[0]);
    (void)close(p[1]);
}

// In a child, whose standard descriptors are closed.
static void fill_stdio(void)
{
    pid_t pid = fork();
    if (pid == 0) {
        (void)close(0);
        (void)close(2);
        int r = fd_fill_stdio();
        int in = fcntl(0, F_GETFL);
        int err = fcntl(2, F_GETFL);
        char c;
        _exit(r == 0 && in >= 0 && err >= 0 && (err & O_ACCMODE) == O_WRONLY && read(0, &c, 1) == 0
                  ? 0
                  : 1);
    }
    int status = 1;
    (void)waitpid(pid, &status, 0);
    is_int(status, 0, "closed standard descriptors become /dev/null");
}

int main(void)
{
    AUTO_SCRATCH struct scratch s = scratch_new();
    files(&s);
    whole_transfers();
    nonblock();
    fill_stdio();
    return done_testing();
}
