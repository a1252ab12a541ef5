// SPDX-License-Identifier: Apache-2.0
#include "internal/sandbox/host_maps.h"

#include "internal/base/buf.h"
#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/base/fd.h"
#include "internal/base/proc.h"
#include "internal/job/idmap.h"
#include "internal/job/stage.h"
#include "internal/sandbox/host_diagnose.h"
#include "internal/sandbox/host_idhelper.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

static int write_text(int procfd, const char *file, const struct buf *text, struct err *err)
{
    int r = fd_write_file(procfd, file, text->data, text->len);
    if (r < 0) {
        (void)err_sys(err, -r, "cannot write the job's %s", file);
        return host_diagnose_userns(-r, err);
    }
    return 0;
}

static int write_own(int procfd, const struct idmaps *maps, struct err *err)
{
    AUTO_BUF struct buf uid = {0};
    AUTO_BUF struct buf gid = {0};
    AUTO_BUF struct buf deny = {0};
    idmap_format(&maps->uid, &uid);
    idmap_format(&maps->gid, &gid);
    buf_adds(&deny, "deny");
    int r = 0;
    if (maps->kind == IDMAP_SINGLE)
        r = write_text(procfd, "setgroups", &deny, err);
    if (r == 0)
        r = write_text(procfd, "uid_map", &uid, err);
    if (r == 0)
        r = write_text(procfd, "gid_map", &gid, err);
    return r;
}

struct helper {
    const char *name;
    pid_t pid;
    int output; // what it says on stderr
};

static int helper_start(struct helper *h, const char *name, pid_t pid, const struct idmap *map,
                        struct err *err)
{
    *h = (struct helper){.name = name, .pid = -1, .output = -1};
    const char *path = host_idhelper_path(name);
    if (!path) {
        (void)err_set(err, ENOENT, "%s is not installed", name);
        return err_hint(err, "install the package \"uidmap\" (Fedora: shadow-utils), or use "
                             "--userns single");
    }
    AUTO_STRV struct strv argv = {0};
    strv_add(&argv, path);
    strv_addf(&argv, "%d", pid);
    for (size_t i = 0; i < map->n; i++) {
        strv_addf(&argv, "%u", map->ext[i].inside);
        strv_addf(&argv, "%u", map->ext[i].outside);
        strv_addf(&argv, "%u", map->ext[i].count);
    }
    int pipefd[2];
    if (pipe2(pipefd, O_CLOEXEC) < 0)
        return err_sys(err, errno, "cannot make a pipe for %s", name);
    h->output = pipefd[0];
    AUTO_FD int write_end = pipefd[1];
    struct proc_fd fds[] = {{write_end, 1}, {write_end, 2}};
    int r = proc_spawn(argv.v, NULL, fds, 2, &h->pid);
    return r < 0 ? err_sys(err, -r, "cannot run %s", path) : 0;
}

// Waits for it also when err is set already, so that no process is left.
static int helper_finish(struct helper *h, struct err *err)
{
    if (h->pid < 0) {
        fd_closep(&h->output);
        return 0;
    }
    AUTO_BUF struct buf said = {0};
    int status = 0;
    (void)fd_read_all(h->output, 4096, &said);
    fd_closep(&h->output);
    int r = proc_wait(h->pid, &status);
    h->pid = -1;
    if (r < 0)
        return err_sys(err, -r, "cannot wait for %s", h->name);
    if (status == 0)
        return 0;
    while (said.len > 0 && said.data[said.len - 1] == '\n')
        said.data[--said.len] = '\0';
    (void)err_set(err, EPERM, "%s refused the id map: %s", h->name,
                  said.len ? said.data : "no reason given");
    return host_diagnose_newidmap(h->name, err);
}

static int run_helpers(pid_t pid, const struct idmaps *maps, struct err *err)
{
    struct helper uid;
    struct helper gid = {.pid = -1, .output = -1};
    int r = helper_start(&uid, "newuidmap", pid, &maps->uid, err);
    if (r == 0)
        r = helper_start(&gid, "newgidmap", pid, &maps->gid, err);
    struct err *first = r == 0 ? err : NULL;
    int ru = helper_finish(&uid, first);
    int rg = helper_finish(&gid, ru == 0 ? first : NULL);
    return r < 0 ? r : ru < 0 ? ru : rg;
}

static int compare(int procfd, const char *file, const struct idmap *want, struct err *err)
{
    AUTO_BUF struct buf text = {0};
    int r = fd_read_file(procfd, file, 65536, &text);
    if (r < 0)
        return err_sys(err, -r, "cannot read back the job's %s", file);
    struct idmap got = {0};
    r = idmap_parse_proc(&got, buf_str(&text));
    int same = r == 0 && idmap_equal(&got, want);
    idmap_done(&got);
    if (same)
        return 0;
    (void)err_set(err, EPERM, "the %s in force is not the one that was asked for", file);
    return err_hint(err, "look at what /etc/subuid and /etc/subgid grant, and that newuidmap and "
                         "newgidmap are the distribution's own");
}

int host_maps_write(pid_t pid, const struct idmaps *maps, struct err *err)
{
    char path[32];
    (void)snprintf(path, sizeof(path), "/proc/%d", pid);
    AUTO_FD int procfd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    int r;
    if (procfd < 0) {
        (void)err_sys(err, errno, "cannot open %s", path);
        (void)err_hint(err, "bryo needs a /proc that shows its own processes");
        return err_stage(err, STAGE_MAPS);
    }
    r = maps->kind == IDMAP_SUBIDS ? run_helpers(pid, maps, err) : write_own(procfd, maps, err);
    if (r == 0)
        r = compare(procfd, "uid_map", &maps->uid, err);
    if (r == 0)
        r = compare(procfd, "gid_map", &maps->gid, err);
    return r < 0 ? err_stage(err, STAGE_MAPS) : 0;
}
