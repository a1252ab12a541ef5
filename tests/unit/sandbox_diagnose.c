// SPDX-License-Identifier: Apache-2.0
// Why a machine refuses user namespaces: each reason has its own remedy. The machines are made up
// of sysctl files.
#include "internal/base/err.h"
#include "internal/sandbox/host_diagnose.h"
#include "tests/unit/scratch.h"
#include "tests/unit/tap.h"

struct machine {
    const char *what;
    const char *max_user_namespaces; // NULL: no such file
    const char *unprivileged_clone;
    const char *apparmor;
};

static void set(const struct scratch *s, const char *name, const char *text)
{
    (void)unlinkat(s->fd, name, 0);
    if (text)
        (void)scratch_file(s, name, text);
}

static void expect(const struct scratch *s, const struct machine *m, int num, const char *words)
{
    set(s, "user/max_user_namespaces", m->max_user_namespaces);
    set(s, "kernel/unprivileged_userns_clone", m->unprivileged_clone);
    set(s, "kernel/apparmor_restrict_unprivileged_userns", m->apparmor);
    struct err err = {0};
    (void)err_sys(&err, num, "cannot create a user namespace");
    int r = host_diagnose_userns_at(s->path, num, &err);
    is_int(r, -num, "%s, errno %d: the errno stays", m->what, num);
    if (*words)
        ok(strstr(err.hint, words) != NULL, "%s, errno %d: the remedy names %s", m->what, num,
           words);
    else
        is_str(err.hint, "", "%s, errno %d: no remedy is made up", m->what, num);
    if (*words && !strstr(err.hint, words))
        diag("got: %s", err.hint);
}

int main(void)
{
    AUTO_SCRATCH struct scratch s = scratch_new();
    (void)mkdirat(s.fd, "user", 0755);
    (void)mkdirat(s.fd, "kernel", 0755);
    const struct machine none = {"no user namespaces", "0\n", NULL, NULL};
    const struct machine debian = {"old Debian", "31231\n", "0\n", NULL};
    const struct machine ubuntu = {"Ubuntu", "31231\n", "1\n", "1\n"};
    const struct machine open_ubuntu = {"Ubuntu, allowed", "31231\n", "1\n", "0\n"};
    const struct machine plain = {"any machine", "31231\n", NULL, NULL};
    const struct machine bare = {"no sysctl at all", NULL, NULL, NULL};
    const struct machine odd = {"an empty sysctl", "", "", ""};

    expect(&s, &none, ENOSPC, "this machine allows no user namespaces");
    expect(&s, &none, EPERM, "user.max_user_namespaces=28633");
    expect(&s, &plain, ENOSPC, "the limit on user namespaces is reached");
    expect(&s, &debian, EPERM, "kernel.unprivileged_userns_clone=1");
    expect(&s, &debian, ENOSPC, "the limit on user namespaces is reached");
    expect(&s, &ubuntu, EPERM, "AppArmor");
    expect(&s, &ubuntu, EACCES, "kernel.apparmor_restrict_unprivileged_userns=0");
    expect(&s, &open_ubuntu, EPERM, "seccomp");
    expect(&s, &plain, EPERM, "seccomp");
    expect(&s, &plain, EACCES, "seccomp");
    expect(&s, &bare, EPERM, "seccomp");
    expect(&s, &odd, EPERM, "seccomp");
    expect(&s, &plain, ENOMEM, "");
    expect(&s, &plain, EINVAL, "");

    struct err err = {0};
    (void)err_sys(&err, EPERM, "cannot create a user namespace");
    is_int(host_diagnose_userns_at("/no/such/directory", EPERM, &err), -EPERM,
           "without /proc/sys there is an answer all the same");
    return done_testing();
}
