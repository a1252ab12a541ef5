// SPDX-License-Identifier: Apache-2.0
#include "internal/sandbox/host_diagnose.h"

#include "internal/base/buf.h"
#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/base/fd.h"
#include "internal/sandbox/host_idhelper.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

// The number in a sysctl file; -1 where there is none.
static long sysctl(int dirfd, const char *name)
{
    AUTO_BUF struct buf text = {0};
    if (fd_read_file(dirfd, name, 64, &text) < 0 || text.len == 0)
        return -1;
    return strtol(text.data, NULL, 10);
}

int host_diagnose_userns_at(const char *sysctl_dir, int num, struct err *err)
{
    AUTO_FD int dir = open(sysctl_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (sysctl(dir, "user/max_user_namespaces") == 0)
        return err_hint(err, "this machine allows no user namespaces; as root: "
                             "sysctl -w user.max_user_namespaces=28633");
    if (num == ENOSPC)
        return err_hint(err,
                        "the limit on user namespaces is reached (user.max_user_namespaces, or "
                        "32 levels of nesting); as root: sysctl -w "
                        "user.max_user_namespaces=28633");
    if (num != EPERM && num != EACCES)
        return -num;
    if (sysctl(dir, "kernel/unprivileged_userns_clone") == 0)
        return err_hint(err, "this machine keeps user namespaces from ordinary users; as root: "
                             "sysctl -w kernel.unprivileged_userns_clone=1");
    if (sysctl(dir, "kernel/apparmor_restrict_unprivileged_userns") == 1)
        return err_hint(err, "AppArmor restricts user namespaces here (Ubuntu 23.10 and later); as "
                             "root: give bryo an AppArmor profile with \"userns,\", or sysctl -w "
                             "kernel.apparmor_restrict_unprivileged_userns=0");
    return err_hint(err,
                    "a chroot, a container's seccomp profile or a security module refuses user "
                    "namespaces here; with docker: --security-opt seccomp=unconfined");
}

int host_diagnose_userns(int num, struct err *err)
{
    return host_diagnose_userns_at("/proc/sys", num, err);
}

int host_diagnose_newidmap(const char *helper, struct err *err)
{
    const char *path = host_idhelper_path(helper);
    struct stat st;
    struct statvfs fs;
    int is_uid = helper[3] == 'u';
    if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1)
        return err_hint(err,
                        "bryo was started with no_new_privs, under which %s has no privilege; "
                        "use --userns single",
                        helper);
    if (path && statvfs(path, &fs) == 0 && (fs.f_flag & ST_NOSUID))
        return err_hint(err, "%s is on a file system mounted nosuid; use --userns single", path);
    if (path && stat(path, &st) == 0 && !(st.st_mode & S_ISUID) && geteuid() != 0)
        return err_hint(err,
                        "if %s has no file capability either, then as root: chmod u+s %s; or "
                        "use --userns single",
                        path, path);
    return err_hint(err,
                    "check that %s gives this user the range, and that it overlaps no other "
                    "user's; or use --userns single",
                    is_uid ? "/etc/subuid" : "/etc/subgid");
}
