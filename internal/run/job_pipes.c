// SPDX-License-Identifier: Apache-2.0
#include "internal/run/job_pipes.h"

#include "internal/base/err.h"
#include "internal/job/spec.h"
#include "internal/job/stage.h"
#include "internal/run/job_guard.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_one_file(int a, int b)
{
    struct stat x;
    struct stat y;
    return fstat(a, &x) == 0 && fstat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

int job_pipes_make(struct job_pipes *p, const struct job_spec *spec, struct err *err)
{
    bool wanted = spec->stall_timeout_us || spec->detach || job_guard_filters(spec);
    int n = is_one_file(STDOUT_FILENO, STDERR_FILENO) ? 1 : 2;
    for (int i = 0; wanted && !spec->tty && i < n; i++) {
        int ends[2];
        if (pipe2(ends, O_CLOEXEC) < 0) {
            (void)err_sys(err, errno, "cannot make a pipe for the job's output");
            return err_stage(err, STAGE_SUPERVISE);
        }
        p->output[i] = ends[0];
        p->inside[i] = ends[1];
    }
    return 0;
}
