// SPDX-License-Identifier: Apache-2.0
#include "internal/roots/host_paths.h"

#include "internal/base/account.h"
#include "internal/base/buf.h"
#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/base/fspath.h"
#include "internal/job/spec.h"
#include "internal/job/stage.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const char *host_paths_getenv(char *const envp[], const char *name)
{
    size_t n = strlen(name);
    for (; envp && *envp; envp++)
        if (strncmp(*envp, name, n) == 0 && (*envp)[n] == '=')
            return *envp + n + 1;
    return NULL;
}

char *host_paths_home(char *const envp[])
{
    const char *home = host_paths_getenv(envp, "HOME");
    if (home && home[0] == '/')
        return str_dup(home);
    AUTO_ACCOUNT struct account account = {0};
    if (account_of(getuid(), &account) < 0 || account.home[0] != '/')
        return NULL;
    return TAKE_PTR(account.home);
}

char *host_paths_private_home(char *const envp[])
{
    AUTO_FREE char *home = host_paths_home(envp);
    struct stat st;
    // /usr/sbin and its like are the homes of system accounts, and belong to root.
    if (!home || stat(home, &st) < 0 || !S_ISDIR(st.st_mode) || st.st_uid != getuid())
        return NULL;
    char *real = realpath(home, NULL);
    if (!real || fspath_depth(real) > 1)
        return real;
    free(real);
    return NULL;
}

int host_paths_cache(char *const envp[], char **ret, struct err *err)
{
    const char *xdg = host_paths_getenv(envp, "XDG_CACHE_HOME");
    if (xdg && xdg[0] == '/') {
        *ret = str_dup(xdg);
        return 0;
    }
    AUTO_FREE char *home = host_paths_home(envp);
    if (!home) {
        (void)err_set(err, ENOENT,
                      "there is no place for the store: neither XDG_CACHE_HOME nor HOME "
                      "is set");
        (void)err_hint(err, "set XDG_CACHE_HOME to a directory of yours");
        return err_stage(err, STAGE_HOST);
    }
    *ret = str_fmt("%s/.cache", home);
    return 0;
}

static int is_below(const char *path, const char *dir)
{
    size_t n = strlen(dir);
    return strncmp(path, dir, n) == 0 && (path[n] == '/' || path[n] == '\0');
}

static int is_no_workspace(const char *cwd, const char *home)
{
    static const char *const system[] = {"/proc", "/sys", "/dev"};
    for (size_t i = 0; i < sizeof(system) / sizeof(system[0]); i++)
        if (is_below(cwd, system[i]))
            return 1;
    // The home directory holds what a job has no business with; so does any directory above it.
    return strcmp(cwd, "/") == 0 || (home && is_below(home, cwd));
}

int host_paths_workspace(const struct job_spec *spec, char *const envp[], char **ret,
                         struct err *err)
{
    *ret = NULL;
    if (spec->workspace == WORKSPACE_NONE)
        return 0;
    if (spec->workspace == WORKSPACE_DIR) {
        struct stat st;
        if (stat(spec->workspace_dir, &st) < 0)
            (void)err_sys(err, errno, "--workspace %s", spec->workspace_dir);
        else if (!S_ISDIR(st.st_mode))
            (void)err_set(err, ENOTDIR, "--workspace %s is not a directory", spec->workspace_dir);
        else {
            *ret = str_dup(spec->workspace_dir);
            return 0;
        }
        return err_stage(err, STAGE_HOST);
    }
    char cwd[PATH_MAX];
    if (!getcwd(cwd, sizeof(cwd)) || cwd[0] != '/')
        return 0; // removed, or out of reach: then there is none
    AUTO_FREE char *home = host_paths_home(envp);
    char *real = home ? realpath(home, NULL) : NULL;
    if (!is_no_workspace(cwd, real ? real : home))
        *ret = str_dup(cwd);
    free(real);
    return 0;
}
