// SPDX-License-Identifier: Apache-2.0
#include "internal/job/checkup_priv.h"

#include "internal/base/cleanup.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#define DOCKER_OPENS \
    "docker run --security-opt seccomp=unconfined --security-opt apparmor=unconfined"
#define KUBERNETES_OPENS \
    "securityContext: {seccompProfile: {type: Unconfined}, procMount: Unmasked}"

struct finding *finding_add(struct judge *j, const char *name, bool needed)
{
    struct checkup *c = j->out;
    c->v = mem_grow(c->v, c->n + 1, sizeof(*c->v));
    c->v[c->n] = (struct finding){
        .name = name, .needed = needed, .found = str_dup(""), .remedy = str_dup("")};
    return &c->v[c->n++];
}

static char *format(const char *fmt, va_list ap)
{
    AUTO_BUF struct buf b = {0};
    buf_vaddf(&b, fmt, ap);
    return str_dup(buf_str(&b));
}

void finding_found(struct finding *f, enum health health, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    free_p(&f->found);
    f->found = format(fmt, ap);
    f->health = health;
    va_end(ap);
}

void finding_remedy(struct finding *f, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    free_p(&f->remedy);
    f->remedy = format(fmt, ap);
    va_end(ap);
}

void finding_fix(struct finding *f, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    strv_take(&f->fix, format(fmt, ap));
    va_end(ap);
}

bool attempt_works(const struct judge *j, enum attempt a)
{
    return j->tried[a].done && j->tried[a].num == 0;
}

bool attempt_failed(const struct judge *j, enum attempt a)
{
    return j->tried[a].done && j->tried[a].num != 0;
}

const char *attempt_words(const struct judge *j, enum attempt a)
{
    return err_words(j->tried[a].num);
}

// Where the thing depends on one that failed.
bool attempt_missing(const struct judge *j, enum attempt a, struct finding *f, const char *needs)
{
    if (j->tried[a].done)
        return false;
    finding_found(f, HEALTH_MISSING, "not tried: it needs %s", needs);
    return true;
}

bool machine_in_docker(const struct machine *m)
{
    return m->container && strcmp(m->container, "Kubernetes") != 0;
}

void finding_open_container(const struct machine *m, struct finding *f)
{
    if (!m->container)
        finding_remedy(
            f, "a seccomp profile, a chroot or a security module refuses it; it is set by what "
               "started this process");
    else
        finding_remedy(f, "start the container with: %s",
                       machine_in_docker(m) ? DOCKER_OPENS : KUBERNETES_OPENS);
}

void finding_set_sysctl(struct finding *f, const char *name, const char *value)
{
    finding_remedy(f, "sysctl -w %s=%s", name, value);
    finding_fix(f, "sysctl -w %s=%s", name, value);
    finding_fix(f, "echo %s=%s >/etc/sysctl.d/90-bryo-%s.conf", name, value,
                strrchr(name, '.') + 1);
}

static void open_apparmor(const struct machine *m, struct finding *f)
{
    static const char leaf[] = "/bin/bryo";
    size_t n = strlen(m->bryo);
    bool installed = n > sizeof(leaf) - 1 && strcmp(m->bryo + n - (sizeof(leaf) - 1), leaf) == 0;
    AUTO_FREE char *path = installed ? str_fmt("%.*s/{bin/bryo,libexec/bryo/*}",
                                               (int)(n - (sizeof(leaf) - 1)), m->bryo)
                                     : str_dup(m->bryo);
    finding_remedy(f, "AppArmor restricts user namespaces to programs with a profile (Ubuntu 23.10 "
                      "and later): give bryo one in /etc/apparmor.d/bryo");
    finding_fix(f,
                "printf 'abi <abi/4.0>,\\nprofile bryo \"%s\" flags=(unconfined) {\\n  "
                "userns,\\n}\\n' >/etc/apparmor.d/bryo",
                path);
    finding_fix(f, "apparmor_parser -r /etc/apparmor.d/bryo");
}

void finding_open_userns(const struct judge *j, int num, struct finding *f)
{
    const struct machine *m = j->m;
    if (m->max_user_namespaces == 0 || num == ENOSPC)
        finding_set_sysctl(f, "user.max_user_namespaces", "28633");
    else if (m->unprivileged_userns_clone == 0)
        finding_set_sysctl(f, "kernel.unprivileged_userns_clone", "1");
    else if (m->apparmor_restrict == 1)
        open_apparmor(m, f);
    else
        finding_open_container(m, f);
}
