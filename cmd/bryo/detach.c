// SPDX-License-Identifier: Apache-2.0
#include "cmd/bryo/detach.h"

#include "cmd/bryo/cli.h"
#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/base/fd.h"
#include "internal/base/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

// The end of the pipe without a word means that the job never ran; the child has said why.
static int hear(int pipe_in, pid_t child)
{
    AUTO_BUF struct buf line = {0};
    char c;
    int status = 0;
    while (fd_read_full(pipe_in, &c, 1) == 1) {
        buf_addc(&line, c);
        if (c == '\n') // not the end: the job's init has a copy of the other end
            return line.len > 1 ? cli_print(&line) : 0;
    }
    if (proc_wait(child, &status) < 0)
        return CLI_FAILED;
    return WIFEXITED(status) && WEXITSTATUS(status) ? WEXITSTATUS(status) : CLI_FAILED;
}

static int become_background(void)
{
    AUTO_FD int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    return setsid() < 0 || null < 0 || dup2(null, STDIN_FILENO) < 0 ? -errno : 0;
}

int detach(int *ret_fd, int *ret_status, struct err *err)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return err_sys(err, errno, "cannot make a pipe for --detach");
    pid_t child = fork();
    if (child < 0) {
        int num = errno;
        fd_closep(&ends[0]);
        fd_closep(&ends[1]);
        return err_sys(err, num, "cannot go to the background");
    }
    if (child == 0) {
        fd_closep(&ends[0]);
        *ret_fd = ends[1];
        int r = become_background();
        return r < 0 ? err_sys(err, -r, "cannot go to the background") : 0;
    }
    fd_closep(&ends[1]);
    *ret_status = hear(ends[0], child);
    fd_closep(&ends[0]);
    return 1;
}
