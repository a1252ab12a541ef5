// SPDX-License-Identifier: Apache-2.0
// Descriptors that reach the command, and the job server of the make that bryo is called from.
#include "cmd/bryo/builder.h"

#include "internal/base/buf.h"
#include "internal/base/cleanup.h"
#include "internal/base/err.h"
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

static void add_fifo(struct job_spec *spec, const char *path)
{
    spec->mounts = mem_grow(spec->mounts, spec->n_mounts + 1, sizeof(*spec->mounts));
    spec->mounts[spec->n_mounts++] =
        (struct mount_req){.kind = MOUNT_BIND, .source = str_dup(path), .target = str_dup(path)};
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
    (void)value;
    int r = jobserver_parse(jobenv_get(b->envp, "MAKEFLAGS"), &server, err);
    if (r < 0)
        return r;
    // Descriptors that make did not leave open are no reason to fail: the make inside says that it
    // has no job server, as one outside would.
    if (server.kind == JOBSERVER_FDS && take_open_fd(&b->spec, server.read_fd))
        (void)take_open_fd(&b->spec, server.write_fd);
    if (server.kind == JOBSERVER_FIFO)
        add_fifo(&b->spec, server.fifo);
    pass_on(b, "MAKEFLAGS");
    pass_on(b, "MAKELEVEL");
    jobserver_done(&server);
    return 0;
}
