// SPDX-License-Identifier: Apache-2.0
// One function per finding, in the order in which they are printed. A remedy is an exact command
// where one is known; fix holds those that root can run without a choice being made.
#include "internal/job/checkup_priv.h"

#include "internal/base/cleanup.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

static void judge_kernel(struct judge *j)
{
    struct finding *f = finding_add(j, "kernel", true);
    const struct machine *m = j->m;
    if (m->kernel >= 5014) {
        finding_found(f, HEALTH_WORKS, "Linux %s", m->release);
        return;
    }
    finding_found(f, m->kernel >= 5011 ? HEALTH_DEGRADED : HEALTH_MISSING, "Linux %s, which %s",
                  m->release,
                  m->kernel >= 5013   ? "has no cgroup.kill"
                  : m->kernel >= 5011 ? "has neither cgroup.kill nor Landlock"
                                      : "lets no ordinary user mount an overlay");
    finding_remedy(f, "a kernel of 5.14 or later");
}

static void judge_userns(struct judge *j)
{
    struct finding *f = finding_add(j, "user namespace", true);
    if (attempt_works(j, ATTEMPT_USERNS)) {
        finding_found(f, HEALTH_WORKS, "created, with the own id as root");
        return;
    }
    int num = j->tried[ATTEMPT_USERNS].num;
    finding_found(f, HEALTH_MISSING, "refused: %s", err_words(num));
    finding_open_userns(j, num, f);
}

static void grant_range(const struct machine *m, struct finding *f)
{
    uint32_t first = m->free_range;
    // (Alpine's usermod is in a package of its own)
    if (m->user[0] && !strstr(m->os_ids, "alpine"))
        finding_fix(f, "usermod --add-subuids %u-%u --add-subgids %u-%u %s", first, first + 65535,
                    first, first + 65535, m->user);
    else
        finding_fix(f, "echo %u:%u:65536 | tee -a /etc/subuid >>/etc/subgid", m->uid, first);
    if (!f->remedy[0])
        finding_remedy(f, "%s", f->fix.v[f->fix.n - 1]);
}

static void judge_helpers(const struct judge *j, struct finding *f)
{
    const struct machine *m = j->m;
    if (m->no_new_privs) {
        finding_remedy(f, "bryo was started with no_new_privs, which newuidmap cannot work under");
    } else if (m->newuidmap_nosuid) {
        finding_remedy(f, "newuidmap is on a file system mounted nosuid: mount it without");
    } else if (m->newuidmap_plain) {
        finding_remedy(f, "newuidmap has lost its privilege: chmod u+s it, as its package does");
        finding_fix(f, "chmod u+s \"$(command -v newuidmap)\" \"$(command -v newgidmap)\"");
    } else if (j->said[ATTEMPT_IDS].hint[0]) {
        finding_remedy(f, "%s", j->said[ATTEMPT_IDS].hint);
    }
}

static void judge_ids(struct judge *j)
{
    struct finding *f = finding_add(j, "subordinate ids", false);
    const struct machine *m = j->m;
    if (attempt_works(j, ATTEMPT_IDS) && m->uid == 0) {
        finding_found(f, HEALTH_WORKS, "not needed by root, which maps its own");
        return;
    }
    if (attempt_works(j, ATTEMPT_IDS)) {
        finding_found(f, m->overlaps[0] ? HEALTH_DEGRADED : HEALTH_WORKS,
                      "%llu uids and %llu gids mapped%s%s", (unsigned long long)m->subuids,
                      (unsigned long long)m->subgids,
                      m->overlaps[0] ? ", some of which are also granted to " : "", m->overlaps);
        if (m->overlaps[0])
            finding_remedy(
                f,
                "give one of the two another range in /etc/subuid and /etc/subgid, such as "
                "%u:65536: files of either's jobs are open to the other",
                m->free_range);
        return;
    }
    const char *one = "jobs have one id, and files of other owners in a tarball become theirs";
    if (attempt_failed(j, ATTEMPT_IDS)) {
        finding_found(f, HEALTH_DEGRADED, "granted, but refused: %s; %s",
                      j->said[ATTEMPT_IDS].text[0] ? j->said[ATTEMPT_IDS].text
                                                   : attempt_words(j, ATTEMPT_IDS),
                      one);
        judge_helpers(j, f);
        return;
    }
    if (m->one_id) {
        finding_found(f, HEALTH_DEGRADED, "bryo was started in a user namespace with one id; %s",
                      one);
        finding_remedy(f, "map more of them where that namespace is made");
        return;
    }
    finding_found(f, HEALTH_DEGRADED, "%s; %s",
                  !m->newuidmap                        ? "newuidmap and newgidmap are not installed"
                  : m->subuids == 0 || m->subgids == 0 ? "none are granted to this user"
                  : m->no_new_privs ? "no_new_privs takes newuidmap its privilege"
                                    : "not tried",
                  one);
    if (!m->newuidmap) {
        AUTO_FREE char *install = checkup_install(m, "uidmap");
        finding_remedy(f, "%s",
                       install ? install : "install newuidmap and newgidmap (shadow, uidmap)");
        // the lists of a fresh image are missing, those of an old one name files that are gone
        if (install && strncmp(install, "apt-get ", 8) == 0)
            finding_fix(f, "%s || { apt-get update && %s; }", install, install);
        else if (install)
            finding_fix(f, "%s", install);
    }
    if (m->subuids == 0 || m->subgids == 0)
        grant_range(m, f);
    if (m->newuidmap && m->subuids && m->subgids)
        judge_helpers(j, f);
}

static void judge_namespaces(struct judge *j)
{
    static const struct {
        enum attempt a;
        const char *name;
    } kinds[] = {{ATTEMPT_MNT, "mount"},   {ATTEMPT_UTS, "UTS"},       {ATTEMPT_IPC, "IPC"},
                 {ATTEMPT_NET, "network"}, {ATTEMPT_CGROUP, "cgroup"}, {ATTEMPT_PID, "PID"},
                 {ATTEMPT_TIME, "time"}};
    struct finding *f = finding_add(j, "namespaces", true);
    if (attempt_missing(j, ATTEMPT_MNT, f, "a user namespace"))
        return;
    AUTO_BUF struct buf bad = {0};
    int num = 0;
    bool only_time = true;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (!attempt_works(j, kinds[i].a)) {
            num = j->tried[kinds[i].a].num;
            only_time = only_time && kinds[i].a == ATTEMPT_TIME;
            buf_addf(&bad, "%s%s: %s", bad.len ? "; " : "", kinds[i].name, err_words(num));
        }
    if (num == 0) {
        finding_found(f, HEALTH_WORKS, "mount, UTS, IPC, network, cgroup, PID and time");
        return;
    }
    finding_found(f, only_time ? HEALTH_DEGRADED : HEALTH_MISSING, "%s", buf_str(&bad));
    if (num == ENOSPC)
        finding_remedy(f,
                       "a limit in /proc/sys/user is reached (max_mnt_namespaces ...): raise it by "
                       "sysctl");
    else if (num == EINVAL)
        finding_remedy(f, "a kernel that was built with these namespaces");
    else
        finding_open_userns(j, num, f);
}

static void judge_mounts(struct judge *j)
{
    static const struct {
        enum attempt a;
        const char *name;
    } kinds[] = {{ATTEMPT_PROC, "proc"},
                 {ATTEMPT_SYSFS, "sysfs"},
                 {ATTEMPT_TMPFS, "tmpfs"},
                 {ATTEMPT_CGROUP2, "cgroup2"}};
    struct finding *f = finding_add(j, "mounts", true);
    if (attempt_missing(j, ATTEMPT_TMPFS, f, "a mount namespace"))
        return;
    AUTO_BUF struct buf bad = {0};
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (attempt_failed(j, kinds[i].a))
            buf_addf(&bad, "%s%s: %s", bad.len ? "; " : "", kinds[i].name,
                     attempt_words(j, kinds[i].a));
    if (attempt_failed(j, ATTEMPT_PIVOT))
        buf_addf(&bad, "%spivot_root: %s", bad.len ? "; " : "", attempt_words(j, ATTEMPT_PIVOT));
    if (bad.len == 0) {
        finding_found(f, HEALTH_WORKS, "proc, sysfs, tmpfs, cgroup2 and a root of its own");
        return;
    }
    bool bearable = !attempt_failed(j, ATTEMPT_TMPFS) && !attempt_failed(j, ATTEMPT_PROC);
    finding_found(f, bearable ? HEALTH_DEGRADED : HEALTH_MISSING, "%s", buf_str(&bad));
    if (attempt_failed(j, ATTEMPT_PROC) && j->m->proc_masked)
        finding_remedy(f,
                       "parts of /proc are hidden here, and the kernel then refuses a new one: %s",
                       machine_in_docker(j->m) ? "docker run --security-opt systempaths=unconfined"
                       : j->m->container       ? "securityContext: {procMount: Unmasked}"
                                               : "unmount what is mounted below /proc");
    else if (attempt_failed(j, ATTEMPT_PROC) || attempt_failed(j, ATTEMPT_SYSFS) ||
             attempt_failed(j, ATTEMPT_TMPFS))
        finding_open_container(j->m, f);
    else if (attempt_failed(j, ATTEMPT_CGROUP2))
        finding_remedy(
            f, "no cgroup2 is mounted where this process sees it: jobs get no tree of their own");
    else
        finding_remedy(
            f, "the root is an initramfs, which cannot be pivoted away from: jobs use chroot");
}

static void judge_nesting(struct judge *j)
{
    struct finding *f = finding_add(j, "nesting", false);
    if (attempt_missing(j, ATTEMPT_NESTED, f, "a user namespace"))
        return;
    if (attempt_works(j, ATTEMPT_NESTED)) {
        finding_found(f, HEALTH_WORKS, "a user namespace in the user namespace");
        return;
    }
    finding_found(f, HEALTH_DEGRADED, "refused: %s; bryo does not run in a job",
                  attempt_words(j, ATTEMPT_NESTED));
    finding_open_userns(j, j->tried[ATTEMPT_NESTED].num, f);
}

static void judge_job(struct judge *j)
{
    struct finding *f = finding_add(j, "a job", true);
    if (attempt_missing(j, ATTEMPT_JOB, f, "a user namespace"))
        return;
    if (attempt_works(j, ATTEMPT_JOB)) {
        finding_found(f, HEALTH_WORKS, "bryo run -- true");
        return;
    }
    finding_found(f, HEALTH_MISSING, "bryo run -- true: %s",
                  j->said[ATTEMPT_JOB].text[0] ? j->said[ATTEMPT_JOB].text
                                               : attempt_words(j, ATTEMPT_JOB));
    finding_remedy(f, "%s",
                   j->said[ATTEMPT_JOB].hint[0] ? j->said[ATTEMPT_JOB].hint
                                                : "what is missing above comes first");
}

void checkup_judge(const struct machine *m, const struct attempted *tried, const struct err *said,
                   struct checkup *ret)
{
    struct judge j = {.m = m, .tried = tried, .said = said, .out = ret};
    judge_kernel(&j);
    judge_userns(&j);
    judge_ids(&j);
    judge_namespaces(&j);
    judge_mounts(&j);
    judge_nesting(&j);
    judge_disk(&j);
    judge_overlay(&j);
    judge_tun(&j);
    judge_network(&j);
    judge_fast_path(&j);
    judge_ping(&j);
    judge_limits(&j);
    judge_filters(&j);
    judge_quotas(&j);
    judge_job(&j);
}
