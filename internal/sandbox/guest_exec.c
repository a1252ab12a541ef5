// SPDX-License-Identifier: Apache-2.0
#include "internal/sandbox/guest_exec.h"

#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/base/nearest.h"
#include "internal/sandbox/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int explain(const char *path, int num, struct err *err)
{
    struct stat st;
    if (num == ENOENT && access(path, F_OK) == 0) {
        // The file is there: what is missing is what it names, a "#!" interpreter or a loader.
        (void)err_set(err, EACCES, "cannot execute %s: its interpreter is not in the root", path);
        return err_hint(err,
                        "a script's #! line, or a program built for another system: look at it "
                        "with head -1 or file");
    }
    (void)err_sys(err, num, "cannot execute %s", path);
    if (num == ENOEXEC)
        return err_hint(err,
                        "it is no program for this machine, and no script that begins with #!");
    if (num == EACCES && stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        return err_hint(err, "it is a directory");
    if (num == EACCES)
        return err_hint(err, "it is not marked executable (chmod +x), or on a file system mounted "
                             "noexec");
    if (num == E2BIG)
        return err_hint(err, "the arguments and the environment together are too long");
    return -num;
}

// The command in one of PATH's directories whose name is nearest.
static void find_nearest(const char *path, const char *name, char ret[NEAREST_FAR + 1])
{
    size_t best = NEAREST_FAR;
    for (const char *at = path; at && *at;) {
        char dir[PATH_MAX];
        size_t n = strcspn(at, ":");
        (void)snprintf(dir, sizeof(dir), "%.*s", (int)n, at);
        AUTO_DIR DIR *list = opendir(dir);
        struct dirent *ent;
        while (list && (ent = readdir(list))) { // NOLINT(concurrency-mt-unsafe): our own stream
            size_t score = nearest_score(name, ent->d_name);
            if (score >= best || faccessat(dirfd(list), ent->d_name, X_OK, AT_EACCESS) < 0)
                continue;
            best = score;
            (void)snprintf(ret, NEAREST_FAR + 1, "%.*s", NEAREST_FAR, ent->d_name);
        }
        at += n + (at[n] == ':');
    }
}

// As execvp(3) searches, but without its /bin/sh for scripts that have no "#!" line.
static int search(const struct sandbox_config *c, struct err *err)
{
    const char *name = c->argv[0];
    char denied[PATH_MAX] = "";
    int denied_num = 0;
    for (const char *dir = c->path; dir && *dir;) {
        size_t n = strcspn(dir, ":");
        char path[PATH_MAX];
        int len = snprintf(path, sizeof(path), "%.*s/%s", (int)n, n ? dir : ".", name);
        if (len > 0 && (size_t)len < sizeof(path)) {
            (void)execve(path, c->argv, c->envp);
            int num = errno;
            // (access and not stat, which --fake-root has answered by another process)
            if (!denied_num && num != ENOTDIR && (num != ENOENT || access(path, F_OK) == 0)) {
                denied_num = num;
                memcpy(denied, path, sizeof(denied));
            }
        }
        dir += n;
        if (*dir == ':')
            dir++;
    }
    if (denied_num)
        return explain(denied, denied_num, err);
    char nearest[NEAREST_FAR + 1] = "";
    find_nearest(c->path, name, nearest);
    (void)err_set(err, ENOENT, "command not found: %s", name);
    return err_hint(err, "%s%s%sPATH in the job is %s", *nearest ? "did you mean " : "", nearest,
                    *nearest ? "? " : "", c->path && *c->path ? c->path : "empty");
}

int guest_exec(const struct sandbox_config *c, struct err *err)
{
    if (!strchr(c->argv[0], '/'))
        return search(c, err);
    (void)execve(c->argv[0], c->argv, c->envp);
    return explain(c->argv[0], errno, err);
}
