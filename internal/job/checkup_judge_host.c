// SPDX-License-Identifier: Apache-2.0
#include "internal/job/checkup_priv.h"

#include "internal/base/cleanup.h"

#include <errno.h>
#include <string.h>

void judge_disk(struct judge *j)
{
    struct finding *f = finding_add(j, "disk", true);
    const struct machine *m = j->m;
    unsigned long long gib = m->free_bytes >> 30;
    unsigned long long mib = (m->free_bytes >> 20) % 1024 * 10 / 1024;
    if (!attempt_works(j, ATTEMPT_STORE)) {
        finding_found(f, HEALTH_MISSING, "cannot write in %s: %s", m->cache,
                      j->tried[ATTEMPT_STORE].done ? attempt_words(j, ATTEMPT_STORE)
                                                   : "there is no such place");
        finding_remedy(f, "name a directory of your own in XDG_CACHE_HOME");
    } else if (m->free_bytes < (1ULL << 30) || m->free_inodes < 50000) {
        finding_found(f, HEALTH_DEGRADED, "%s has %llu.%llu GiB and %llu inodes free", m->cache,
                      gib, mib, (unsigned long long)m->free_inodes);
        finding_remedy(f, "bryo image prune, or name a roomier place in XDG_CACHE_HOME");
    } else {
        finding_found(f, HEALTH_WORKS, "%s has %llu.%llu GiB free", m->cache, gib, mib);
    }
}

void judge_overlay(struct judge *j)
{
    struct finding *f = finding_add(j, "overlay", false);
    const struct machine *m = j->m;
    if (attempt_missing(j, ATTEMPT_OVERLAY, f,
                        attempt_works(j, ATTEMPT_STORE) ? "a mount namespace"
                                                        : "a directory in the cache"))
        return;
    if (attempt_works(j, ATTEMPT_OVERLAY)) {
        finding_found(f, HEALTH_WORKS, "mounted on the cache%s%s, a file copied up",
                      m->cache_fs[0] ? ", " : "", m->cache_fs);
        return;
    }
    int num = j->tried[ATTEMPT_OVERLAY].num;
    finding_found(f, HEALTH_DEGRADED, "refused on %s%s%s: %s; jobs keep what they write in memory",
                  m->cache, m->cache_fs[0] ? ", which is " : "", m->cache_fs, err_words(num));
    if (num == ENODEV) {
        finding_remedy(f, "modprobe overlay");
        finding_fix(f, "modprobe overlay");
        finding_fix(f, "echo overlay >/etc/modules-load.d/90-bryo.conf");
    } else if (num == EPERM && m->kernel < 5011) {
        finding_remedy(f, "Linux 5.11 or later, or a Debian or Ubuntu kernel that allows it");
    } else {
        finding_remedy(f,
                       "name a directory on a local disk in XDG_CACHE_HOME, such as "
                       "XDG_CACHE_HOME=/var/tmp/%s",
                       m->user[0] ? m->user : "cache");
    }
}

void judge_tun(struct judge *j)
{
    struct finding *f = finding_add(j, "tap device", false);
    const struct machine *m = j->m;
    if (m->tun && attempt_works(j, ATTEMPT_TUN)) {
        finding_found(f, HEALTH_WORKS, "/dev/net/tun makes an interface in a network namespace");
        return;
    }
    if (m->tun && attempt_missing(j, ATTEMPT_TUN, f, "a network namespace"))
        return;
    const char *cost = "jobs have no network of their own";
    if (!m->tun) {
        finding_found(f, HEALTH_MISSING, "/dev/net/tun is not there; %s", cost);
        finding_remedy(f, "%s",
                       machine_in_docker(m) ? "docker run --device /dev/net/tun"
                       : m->container       ? "a device plugin or a hostPath volume of /dev/net/tun"
                                            : "modprobe tun, and make /dev/net/tun 0666");
        finding_fix(f, "[ -e /dev/net/tun ] || modprobe tun || :");
        finding_fix(f,
                    "[ -e /dev/net/tun ] || { mkdir -p /dev/net && mknod /dev/net/tun c 10 200; }");
        finding_fix(f, "chmod 0666 /dev/net/tun");
        return;
    }
    finding_found(f, HEALTH_MISSING, "/dev/net/tun has mode %04o: %s; %s", m->tun_mode & 07777,
                  attempt_words(j, ATTEMPT_TUN), cost);
    if ((m->tun_mode & 0666) != 0666) {
        finding_remedy(f, "chmod 0666 /dev/net/tun, as udev does");
        finding_fix(f, "chmod 0666 /dev/net/tun");
    } else {
        finding_remedy(f, "the device is not allowed here%s",
                       machine_in_docker(m) ? ": docker run --device /dev/net/tun" : "");
    }
}

void judge_network(struct judge *j)
{
    struct finding *f = finding_add(j, "network", false);
    if (attempt_missing(j, ATTEMPT_NETWORK, f, "a job that runs"))
        return;
    if (attempt_works(j, ATTEMPT_NETWORK)) {
        finding_found(f, HEALTH_WORKS,
                      "a job with a network of its own got an answer from its resolver");
        return;
    }
    const struct err *e = &j->said[ATTEMPT_NETWORK];
    finding_found(f, HEALTH_MISSING, "%s", e->text[0] ? e->text : "no answer in a job");
    if (attempt_failed(j, ATTEMPT_TUN) || !j->m->tun)
        finding_remedy(f, "the tap device comes first");
    else
        finding_remedy(f, "%s", e->hint);
}

void judge_fast_path(struct judge *j)
{
    struct finding *f = finding_add(j, "fast path", false);
    const struct err *e = &j->said[ATTEMPT_NETWORK];
    if (!attempt_works(j, ATTEMPT_NETWORK)) {
        finding_found(f, HEALTH_MISSING, "not tried: it needs a network");
        return;
    }
    if (!e->text[0]) {
        finding_found(f, HEALTH_WORKS, "a job's TCP is handed to the kernel by nftables' TPROXY");
        return;
    }
    finding_found(f, HEALTH_DEGRADED, "%s", e->text);
    finding_remedy(f, "modprobe -a nf_tables nft_tproxy; some distributions have them in a package "
                      "of further modules");
    finding_fix(f, "modprobe -a nf_tables nft_tproxy");
}

void judge_ping(struct judge *j)
{
    struct finding *f = finding_add(j, "ping", false);
    if (attempt_works(j, ATTEMPT_PING)) {
        finding_found(f, HEALTH_WORKS, "a socket for echo requests was opened");
        return;
    }
    finding_found(f, HEALTH_DEGRADED, "refused: %s; ping from a job gets no answer",
                  attempt_words(j, ATTEMPT_PING));
    finding_set_sysctl(f, "net.ipv4.ping_group_range", "'0 2147483647'");
}

// What root can do about it without ending anything that runs. (New controllers come to a user's
// systemd when it starts, which takes the user's sessions with it.)
static void fix_limits(const struct machine *m, const char *hint, struct finding *f)
{
    if (strstr(hint, "loginctl enable-linger") && m->user[0]) {
        finding_fix(f, "loginctl enable-linger %s", m->user);
    } else if (strstr(hint, "delegate.conf")) {
        finding_fix(f, "mkdir -p /etc/systemd/system/user@.service.d");
        finding_fix(f, "printf '[Service]\\nDelegate=cpu cpuset io memory pids\\n' "
                       ">/etc/systemd/system/user@.service.d/delegate.conf");
        finding_fix(f, "systemctl daemon-reload");
    }
}

void judge_limits(struct judge *j)
{
    static const struct {
        enum attempt a;
        const char *name;
    } kinds[] = {{ATTEMPT_MEMORY, "memory"},
                 {ATTEMPT_CPU, "cpu"},
                 {ATTEMPT_PIDS, "pids"},
                 {ATTEMPT_IO, "io"}};
    struct finding *f = finding_add(j, "limits", false);
    if (attempt_missing(j, ATTEMPT_MEMORY, f, "a job that runs"))
        return;
    AUTO_BUF struct buf held = {0};
    AUTO_BUF struct buf not_held = {0};
    const struct err *why = NULL;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        bool ok = attempt_works(j, kinds[i].a);
        struct buf *list = ok ? &held : &not_held;
        buf_addf(list, "%s%s", list->len ? ", " : "", kinds[i].name);
        if (!ok && !why)
            why = &j->said[kinds[i].a];
    }
    if (!why) {
        finding_found(f, HEALTH_WORKS, "jobs ran with limits of %s", buf_str(&held));
        return;
    }
    finding_found(f, held.len ? HEALTH_DEGRADED : HEALTH_MISSING, "%s%s%s cannot be limited: %s",
                  buf_str(&held), held.len ? " can; " : "", buf_str(&not_held), why->text);
    finding_remedy(f, "%s", why->hint);
    fix_limits(j->m, why->hint, f);
}

void judge_filters(struct judge *j)
{
    struct finding *f = finding_add(j, "seccomp", true);
    if (attempt_works(j, ATTEMPT_SECCOMP)) {
        finding_found(f, HEALTH_WORKS, "a filter was installed%s",
                      j->m->seccomp_filtered ? ", below one that was there" : "");
    } else {
        finding_found(f, HEALTH_MISSING, "no filter can be installed: %s",
                      attempt_words(j, ATTEMPT_SECCOMP));
        finding_remedy(f, "a kernel with CONFIG_SECCOMP_FILTER");
    }
    f = finding_add(j, "Landlock", false);
    if (attempt_works(j, ATTEMPT_LANDLOCK)) {
        finding_found(f, HEALTH_WORKS, "a ruleset was put in force");
        return;
    }
    finding_found(f, HEALTH_DEGRADED,
                  "%s; bryo's helpers are confined by seccomp and namespaces alone",
                  attempt_words(j, ATTEMPT_LANDLOCK));
    if (j->tried[ATTEMPT_LANDLOCK].num == EOPNOTSUPP)
        finding_remedy(f, "boot with landlock in the kernel's lsm= list");
    else if (j->m->seccomp_filtered)
        finding_open_container(j->m, f);
    else
        finding_remedy(f, "Linux 5.13 or later, with CONFIG_SECURITY_LANDLOCK");
}

void judge_quotas(struct judge *j)
{
    const struct machine *m = j->m;
    struct finding *f = finding_add(j, "keyring", false);
    long room = m->max_keys < 0 || m->used_keys < 0 ? FACT_UNKNOWN : m->max_keys - m->used_keys;
    bool low = room != FACT_UNKNOWN && room < 64;
    if (attempt_works(j, ATTEMPT_KEYRING) && !low)
        finding_found(f, HEALTH_WORKS, "a session keyring of its own");
    else if (attempt_works(j, ATTEMPT_KEYRING))
        finding_found(f, HEALTH_DEGRADED, "room for %ld more keys, one for each job at a time",
                      room);
    else
        finding_found(f, HEALTH_DEGRADED, "refused: %s; jobs are started with none",
                      attempt_words(j, ATTEMPT_KEYRING));
    if (low || j->tried[ATTEMPT_KEYRING].num == EDQUOT)
        finding_set_sysctl(f, "kernel.keys.maxkeys", "2000");
    else if (attempt_failed(j, ATTEMPT_KEYRING))
        finding_open_container(m, f);

    f = finding_add(j, "inotify", false);
    bool few = m->inotify_instances >= 0 && m->inotify_instances < 128;
    bool narrow = m->inotify_watches >= 0 && m->inotify_watches < 8192;
    if (attempt_works(j, ATTEMPT_INOTIFY) && !few && !narrow) {
        finding_found(f, HEALTH_WORKS, "a watch was set");
        return;
    }
    finding_found(f, HEALTH_DEGRADED, "%s: at most %ld instances and %ld watches a user",
                  attempt_works(j, ATTEMPT_INOTIFY) ? "low" : attempt_words(j, ATTEMPT_INOTIFY),
                  m->inotify_instances, m->inotify_watches);
    if (narrow || j->tried[ATTEMPT_INOTIFY].num == ENOSPC)
        finding_set_sysctl(f, "fs.inotify.max_user_watches", "65536");
    else
        finding_set_sysctl(f, "fs.inotify.max_user_instances", "512");
}
