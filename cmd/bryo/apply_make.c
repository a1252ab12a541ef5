// SPDX-License-Identifier: Apache-2.0
// Descriptors that reach the command, and the job server of the make that bryo is called from.
#include "cmd/bryo/builder.h"

#include "internal/base/buf.h"
#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/base/fd.h"
#include "internal/base/log.h"
#include "internal/base/parse.h"
#include "internal/job/jobenv.h"
#include "internal/job/jobserver.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

static void add_fd(struct job_spec *spec, int fd)
{
    for (size_t i = 0; i < spec->n_preserve_fds; i++)
        if (spec->preserve_fds[i] == fd)
            return;
    spec->preserve_fds =
        mem_grow(spec->preserve_fds, spec->n_preserve_fds + 1, sizeof(*spec->preserve_fds));
    spec->preserve_fds[spec->n_preserve_fds++] = fd;
}

// The helpers that bryo starts are not to have it.
static bool take_open_fd(struct job_spec *spec, int fd)
{
    if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
        return false;
    add_fd(spec, fd);
    return true;
}

int set_preserve_fd(void *ctx, const char *value, struct err *err)
{
    struct job_spec *spec = &((struct builder *)ctx)->spec;
    for (const char *at = value;;) {
        size_t n = strcspn(at, ",");
        uint64_t fd = 0;
        if (parse_u64n(at, n, 3, INT_MAX, &fd) < 0)
            return err_set(err, EINVAL, "\"%.*s\" is no descriptor above 2", (int)n, at);
        if (!take_open_fd(spec, (int)fd))
            return err_set(err, EBADF, "descriptor %d is not open", (int)fd);
        if (!at[n])
            return 0;
        at += n + 1;
    }
}

// Every make from 4.2 on takes descriptors, only those from 4.4 on a FIFO, and the one inside may
// be older than the one outside; so it is given descriptors of the FIFO. NULL: it cannot be opened.
static char *open_fifo(struct job_spec *spec, const char *path, const char *makeflags)
{
    int fds[2] = {-1, -1};
    for (int i = 0; i < 2; i++)
        if ((fds[i] = open(path, O_RDWR | O_CLOEXEC | O_NOCTTY)) < 0)
            break;
    if (fds[1] < 0) {
        fd_closep(&fds[0]);
        return NULL;
    }
    add_fd(spec, fds[0]); // open from here to the end, as those that make leaves open
    add_fd(spec, fds[1]);
    return jobserver_with_fds(makeflags, fds[0], fds[1]);
}

static void pass_on(struct builder *b, const char *name)
{
    const char *value = jobenv_get(b->envp, name);
    if (value)
        strv_addf(&b->spec.env, "%s=%s", name, value);
}

int set_jobserver(void *ctx, const char *value, struct err *err)
{
    struct builder *b = ctx;
    struct jobserver server;
    const char *makeflags = jobenv_get(b->envp, "MAKEFLAGS");
    (void)value;
    int r = jobserver_parse(makeflags, &server, err);
    if (r < 0)
        return r;
    // A job server that make did not leave open, or is gone, is no reason to fail: the make inside
    // says that it has no job server, as one outside would.
    if (server.kind == JOBSERVER_FDS && take_open_fd(&b->spec, server.read_fd))
        (void)take_open_fd(&b->spec, server.write_fd);
    AUTO_FREE char *opened =
        server.kind == JOBSERVER_FIFO ? open_fifo(&b->spec, server.fifo, makeflags) : NULL;
    if (opened)
        strv_addf(&b->spec.env, "MAKEFLAGS=%s", opened);
    else
        pass_on(b, "MAKEFLAGS");
    pass_on(b, "MAKELEVEL");
    jobserver_done(&server);
    return 0;
}
