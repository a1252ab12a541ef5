// SPDX-License-Identifier: Apache-2.0
#include "internal/cgroup/host_scope.h"

#include "internal/base/buf.h"
#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/base/fd.h"
#include "internal/base/proc.h"
#include "internal/cgroup/host_place.h"
#include "internal/cgroup/view.h"
#include "internal/job/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define WORDS_MAX 2048 // bytes of what bryo-scope says

static const char *getenv_of(char *const envp[], const char *name)
{
    size_t n = strlen(name);
    for (; envp && *envp; envp++)
        if (strncmp(*envp, name, n) == 0 && (*envp)[n] == '=' && (*envp)[n + 1])
            return *envp + n + 1;
    return NULL;
}

static void add_sockets(const char *runtime_dir, struct strv *out)
{
    AUTO_FREE char *bus = str_fmt("%s/bus", runtime_dir);
    AUTO_FREE char *own = str_fmt("%s/systemd/private", runtime_dir);
    if (access(bus, W_OK) == 0)
        strv_addf(out, "bus=unix:path=%s", bus);
    if (access(own, W_OK) == 0)
        strv_addf(out, "private=unix:path=%s", own);
}

// Where the user's systemd may be reached, the likeliest first. Hosted CI machines start their jobs
// without the variables, and the user's systemd is there all the same.
static void addresses(const struct place_request *rq, struct strv *out)
{
    const char *session = getenv_of(rq->envp, "DBUS_SESSION_BUS_ADDRESS");
    const char *runtime = getenv_of(rq->envp, "XDG_RUNTIME_DIR");
    AUTO_FREE char *usual = str_fmt("/run/user/%u", getuid());
    if (session)
        strv_addf(out, "bus=%s", session);
    if (runtime && runtime[0] == '/')
        add_sockets(runtime, out);
    if (!runtime || strcmp(runtime, usual) != 0)
        add_sockets(usual, out);
}

int host_scope_look(const struct place_request *rq, const struct cgroup_view *view,
                    unsigned *ret_controllers, struct err *why)
{
    AUTO_STRV struct strv where = {0};
    addresses(rq, &where);
    if (where.n == 0)
        return err_set(why, ENOENT, "no systemd of this user runs (there is no /run/user/%u/bus)",
                       getuid());
    if (!rq->helper)
        return err_set(why, ENOENT, "the helper program bryo-scope is not installed");
    AUTO_BUF struct buf text = {0};
    AUTO_FREE char *file = str_fmt("%s/user.slice/user-%u.slice/user@%u.service/cgroup.controllers",
                                   view->mount, getuid(), getuid());
    *ret_controllers = fd_read_file(AT_FDCWD, file, WORDS_MAX, &text) < 0
                           ? CONTROLLERS_ALL
                           : limits_parse_controllers(buf_str(&text));
    return 0;
}

// What the helper says when it fails: one line with the reason, perhaps one with the remedy.
static int refused(char *words, struct err *err)
{
    char *hint = strchr(words, '\n');
    if (hint)
        *hint++ = '\0';
    size_t n = hint ? strcspn(hint, "\n") : 0;
    (void)err_set(err, EIO, "the user's systemd made no scope: %s",
                  *words ? words : "bryo-scope ended without a word");
    return n ? err_hint(err, "%.*s", (int)n, hint) : -EIO;
}

int host_scope_enter(const struct place_request *rq, const char *id, const char *description,
                     struct err *err)
{
    AUTO_STRV struct strv argv = {0};
    AUTO_BUF struct buf words = {0};
    int ends[2];
    int status = 0;
    pid_t pid = 0;
    strv_add(&argv, rq->helper);
    strv_addf(&argv, "bryo-%s.scope", id);
    strv_add(&argv, description);
    strv_add(&argv, SCOPE_SLICE);
    strv_addf(&argv, "%d", (int)getpid());
    addresses(rq, &argv);
    if (pipe2(ends, O_CLOEXEC) < 0)
        return err_sys(err, errno, "cannot make a pipe");
    AUTO_FD int out = ends[0];
    AUTO_FD int in = ends[1];
    const struct proc_fd fds[] = {{.from = in, .to = 1}, {.from = in, .to = 2}};
    int r = proc_spawn(argv.v, NULL, fds, 2, &pid);
    if (r < 0)
        return err_sys(err, -r, "cannot run %s", rq->helper);
    fd_closep(&in);
    (void)fd_read_all(out, WORDS_MAX, &words);
    r = proc_wait(pid, &status);
    if (r < 0)
        return err_sys(err, -r, "cannot wait for %s", rq->helper);
    if (status == 0)
        return 0;
    AUTO_FREE char *text = str_dup(buf_str(&words));
    return refused(text, err);
}
