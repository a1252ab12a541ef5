// SPDX-License-Identifier: Apache-2.0
#include "internal/run/exec_guard.h"

#include "internal/base/buf.h"
#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/base/fd.h"
#include "internal/base/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

// The places of the pipes in the process that reads on.
enum { REST_FIRST = 3, REST_END = REST_FIRST + 2 };

// A header, then of each secret its length and its bytes.
struct head {
    uint32_t guard;
    uint32_t n_secrets;
};

static int write_all(int fd, const struct job_spec *spec)
{
    const struct head head = {.guard = spec->guard, .n_secrets = (uint32_t)spec->n_secrets};
    int r = fd_write_all(fd, &head, sizeof(head));
    for (size_t i = 0; r == 0 && i < spec->n_secrets; i++) {
        const struct secret *s = &spec->secrets[i];
        const uint32_t len = (uint32_t)s->len;
        r = fd_write_all(fd, &len, sizeof(len));
        if (r == 0)
            r = fd_write_all(fd, s->value, s->len);
    }
    return r == 0 && lseek(fd, 0, SEEK_SET) < 0 ? -errno : r;
}

int exec_guard_pack(const struct job_spec *spec)
{
    if (!job_guard_filters(spec))
        return -ENOENT;
    AUTO_FD int fd = memfd_create("bryo-guard", MFD_CLOEXEC);
    int r = fd < 0 ? -errno : write_all(fd, spec);
    return r < 0 ? r : TAKE_FD(fd);
}

static int read_secret(int fd, struct job_spec *spec, struct err *err)
{
    uint32_t len = 0;
    if (fd_read_full(fd, &len, sizeof(len)) != (ssize_t)sizeof(len) || len > SECRET_MAX)
        return -EPROTO;
    AUTO_FREE char *value = mem_alloc(len + 1U);
    int r = fd_read_full(fd, value, len) == (ssize_t)len ? 0 : -EPROTO;
    spec->secrets = mem_grow(spec->secrets, spec->n_secrets + 1, sizeof(*spec->secrets));
    if (r == 0)
        r = secret_set(&spec->secrets[spec->n_secrets], "value", value, len, err);
    spec->n_secrets += r == 0;
    explicit_bzero(value, len);
    return r;
}

static int read_all(int fd, struct job_spec *spec, struct err *err)
{
    struct head head;
    if (fd_read_full(fd, &head, sizeof(head)) != (ssize_t)sizeof(head))
        return -EPROTO;
    spec->guard = head.guard;
    int r = 0;
    for (uint32_t i = 0; r == 0 && i < head.n_secrets; i++)
        r = read_secret(fd, spec, err);
    return r;
}

static int open_pipes(struct exec_guard *g)
{
    struct stat out;
    struct stat er;
    bool same = fstat(STDOUT_FILENO, &out) == 0 && fstat(STDERR_FILENO, &er) == 0 &&
                out.st_dev == er.st_dev && out.st_ino == er.st_ino;
    for (int i = 0; i < (same ? 1 : 2); i++) {
        int p[2];
        if (pipe2(p, O_CLOEXEC) < 0)
            return -errno;
        g->read[i] = p[0];
        g->write[i] = p[1];
    }
    if (same)
        g->write[1] = fcntl(g->write[0], F_DUPFD_CLOEXEC, 3);
    return g->write[1] < 0 ? -errno : 0;
}

int exec_guard_take(struct exec_guard *g, int fd, bool tty, struct err *err)
{
    int r = read_all(fd, &g->spec, err);
    g->spec.tty = tty;
    if (r == 0 && !tty)
        r = open_pipes(g);
    if (r < 0)
        return err_set(err, -r, "cannot mask the command's output");
    job_guard_protect(&g->spec);
    job_guard_start(&g->guard, &g->spec);
    g->on = true;
    return 0;
}

void exec_guard_ended(struct exec_guard *g)
{
    for (int i = 0; i < 2; i++)
        if (g->read[i] >= 0 && g->rest[i] < 0)
            g->rest[i] = fcntl(g->read[i], F_DUPFD_CLOEXEC, REST_END);
}

static _Noreturn void read_on(const int rest[2])
{
    char chunk[4096];
    struct pollfd p[2];
    sigset_t none;
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int i = 0; i < REST_FIRST; i++)
        if (null < 0 || dup2(null, i) < 0)
            _exit(125);
    for (int i = 0; i < 2; i++) // to the places that are kept; -1 stays unused
        p[i] = (struct pollfd){.fd = rest[i] < 0 ? -1 : dup2(rest[i], REST_FIRST + i),
                               .events = POLLIN};
    (void)sys_close_range(REST_END, ~0U, 0);
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    if (setsid() < 0 || chdir("/") < 0)
        _exit(125);
    while (p[0].fd >= 0 || p[1].fd >= 0) {
        if (poll(p, 2, -1) < 0 && errno != EINTR)
            _exit(125);
        for (int i = 0; i < 2; i++)
            if (p[i].revents && read(p[i].fd, chunk, sizeof(chunk)) <= 0)
                p[i].fd = -1;
    }
    _exit(0);
}

void exec_guard_leave(struct exec_guard *g)
{
    struct pollfd p[2] = {{.fd = g->rest[0]}, {.fd = g->rest[1]}};
    bool held = false;
    if (poll(p, 2, 0) >= 0)
        for (int i = 0; i < 2; i++)
            held = held || (p[i].fd >= 0 && !(p[i].revents & POLLHUP));
    if (held && fork() == 0)
        read_on(g->rest);
    for (int i = 0; i < 2; i++)
        fd_closep(&g->rest[i]);
}

void exec_guard_done(struct exec_guard *g)
{
    job_guard_end(&g->guard);
    for (size_t i = 0; i < g->spec.n_secrets; i++)
        secret_done(&g->spec.secrets[i]);
    free_p(&g->spec.secrets);
    for (int i = 0; i < 2; i++) {
        fd_closep(&g->read[i]);
        fd_closep(&g->write[i]);
    }
}
