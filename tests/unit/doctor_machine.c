// SPDX-License-Identifier: Apache-2.0
// Reading the facts of a machine that is made of files in a directory.
#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/doctor/host_machine.h"
#include "internal/job/checkup.h"
#include "tests/unit/scratch.h"
#include "tests/unit/tap.h"

static char *const no_env[] = {NULL};

static void put(const struct scratch *s, const char *path, const char *text)
{
    char part[256];
    for (const char *p = path; (p = strchr(p, '/')); p++) {
        snprintf(part, sizeof(part), "%.*s", (int)(p - path), path);
        (void)mkdirat(s->fd, part, 0755);
    }
    if (scratch_file(s, path, text) < 0)
        diag("cannot write %s", path);
}

static void put_mode(const struct scratch *s, const char *path, mode_t mode)
{
    put(s, path, "");
    if (fchmodat(s->fd, path, mode, 0) < 0)
        diag("cannot chmod %s", path);
}

static void test_empty(void)
{
    AUTO_SCRATCH struct scratch s = scratch_new();
    struct machine m;
    host_machine_read(s.path, no_env, &m);
    is_str(m.os_name, "", "a root without files: no name");
    is_int(m.max_user_namespaces, FACT_UNKNOWN, "no sysctl");
    is_int(m.used_keys, FACT_UNKNOWN, "no count of keys");
    ok(!m.tun && !m.newuidmap && !m.container && m.subuids == 0, "nothing is there");
    ok(m.kernel >= 4000 && m.release[0], "the kernel is the running one");
    is_int(m.uid, getuid(), "and so is the user");
}

static void test_full(void)
{
    AUTO_SCRATCH struct scratch s = scratch_new();
    struct machine m;
    char text[512];
    put(&s, "usr/lib/os-release",
        "NAME=\"Linux Mint\"\nID=linuxmint\nPRETTY_NAME=\"Linux Mint 22\"\nID_LIKE=\"ubuntu "
        "debian\"\n");
    put(&s, "etc/.keep", "");
    if (symlinkat("../usr/lib/os-release", s.fd, "etc/os-release") < 0)
        diag("cannot link etc/os-release");
    put(&s, "proc/sys/user/max_user_namespaces", "0\n");
    put(&s, "proc/sys/kernel/unprivileged_userns_clone", "0\n");
    put(&s, "proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1\n");
    put(&s, "proc/sys/fs/inotify/max_user_instances", "16\n");
    put(&s, "proc/sys/fs/inotify/max_user_watches", "100\n");
    put(&s, "proc/self/status", "Name:\tbryo\nSeccomp:\t2\nSeccomp_filters:\t1\n");
    put(&s, "proc/self/mountinfo", "30 22 0:25 / /proc/acpi ro - tmpfs tmpfs ro\n");
    put(&s, "proc/self/uid_map", "         0       1000          1\n");
    snprintf(text, sizeof(text),
             "    0:   50 49/49 45/1000000 813/25000000\n%5u:    9 9/9 190/200 31/20000\n",
             getuid() ? getuid() : 1);
    put(&s, "proc/key-users", text);
    snprintf(text, sizeof(text), "%u:100000:65536\n", getuid());
    put(&s, "etc/subuid", text);
    put(&s, "etc/subgid", "other:100000:65536\n");
    put_mode(&s, "usr/bin/newuidmap", 0755);
    put_mode(&s, "usr/bin/newgidmap", 0755);
    put_mode(&s, "dev/net/tun", 0600);
    put(&s, "run/.containerenv", "");
    host_machine_read(s.path, no_env, &m);
    is_str(m.os_name, "Linux Mint 22", "the name of the system, by way of the link");
    is_str(m.os_ids, "linuxmint ubuntu debian", "and its kin");
    is_int(m.max_user_namespaces, 0, "user.max_user_namespaces");
    is_int(m.unprivileged_userns_clone, 0, "kernel.unprivileged_userns_clone");
    is_int(m.apparmor_restrict, 1, "AppArmor's");
    is_int(m.inotify_instances, 16, "inotify instances");
    is_int(m.inotify_watches, 100, "inotify watches");
    ok(m.seccomp_filtered, "a seccomp filter");
    ok(m.proc_masked, "a mask");
    ok(m.one_id, "a namespace with one id");
    if (getuid() != 0)
        is_int(m.max_keys - m.used_keys, 10, "room for ten keys");
    is_int((intmax_t)m.subuids, 65536, "subordinate uids, by number");
    is_int((intmax_t)m.subgids, 0, "no gids");
    is_int(m.free_range, 196608, "the next free range");
    ok(m.newuidmap && m.newuidmap_plain, "newuidmap is there, without its privilege");
    ok(m.tun && (m.tun_mode & 0777) == 0600, "a closed tun");
    is_str(m.container, "podman", "podman's mark");

    put_mode(&s, "usr/bin/newuidmap", 04755);
    put(&s, "proc/self/uid_map", "0 1000 1\n1 100000 65536\n");
    put(&s, ".dockerenv", "");
    host_machine_read(s.path, no_env, &m);
    ok(!m.newuidmap_plain, "a set-uid newuidmap");
    ok(!m.one_id, "a namespace with more ids");
    is_str(m.container, "docker", "docker's mark");
    char *const kube[] = {(char *)"KUBERNETES_SERVICE_HOST=10.0.0.1", NULL};
    host_machine_read(s.path, kube, &m);
    is_str(m.container, "Kubernetes", "Kubernetes' variable");
}

// os-release(5) as each of them has it, and what installs newuidmap and grants ids there.
static void test_distributions(void)
{
    static const struct {
        const char *name;
        const char *os_release;
        const char *install;
        const char *grant;
    } rows[] = {
        {"Debian 12", "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nID=debian\n",
         "apt-get install -y uidmap", "usermod --add-subuids"},
        {"Ubuntu 24.04", "PRETTY_NAME=\"Ubuntu 24.04.1 LTS\"\nID=ubuntu\nID_LIKE=debian\n",
         "apt-get install -y uidmap", "usermod --add-subuids"},
        {"Fedora 41", "NAME=\"Fedora Linux\"\nID=fedora\nVARIANT_ID=server\n",
         "dnf install -y shadow-utils", "usermod --add-subuids"},
        {"Rocky Linux 9", "ID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"\n",
         "dnf install -y shadow-utils", "usermod --add-subuids"},
        {"Arch Linux", "NAME=\"Arch Linux\"\nID=arch\nBUILD_ID=rolling\n",
         "pacman -S --noconfirm shadow", "usermod --add-subuids"},
        {"Alpine Linux 3.20", "NAME=\"Alpine Linux\"\nID=alpine\nVERSION_ID=3.20.3\n",
         "apk add shadow-uidmap", "echo 1000:"},
        {"openSUSE Leap 15.6", "ID=\"opensuse-leap\"\nID_LIKE=\"suse opensuse\"\n",
         "zypper install -y shadow", "usermod --add-subuids"},
        {"openSUSE Tumbleweed", "ID=\"opensuse-tumbleweed\"\nID_LIKE=\"opensuse suse\"\n",
         "zypper install -y shadow", "usermod --add-subuids"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        AUTO_SCRATCH struct scratch s = scratch_new();
        AUTO_CHECKUP struct checkup c = {0};
        struct attempted tried[ATTEMPTS] = {0};
        static const struct err said[ATTEMPTS];
        struct machine m;
        put(&s, "etc/os-release", rows[i].os_release);
        host_machine_read(s.path, no_env, &m);
        m.uid = 1000;
        (void)snprintf(m.user, sizeof(m.user), "anna");
        m.cache[0] = '\0';
        tried[ATTEMPT_USERNS].done = true;
        checkup_judge(&m, tried, said, &c);
        const struct finding *f = NULL;
        for (size_t k = 0; k < c.n; k++)
            if (strcmp(c.v[k].name, "subordinate ids") == 0)
                f = &c.v[k];
        ok(f && strcmp(f->remedy, rows[i].install) == 0, "%s: %s", rows[i].name, rows[i].install);
        ok(f && f->fix.n == 2 && strstr(f->fix.v[0], rows[i].install) == f->fix.v[0] &&
               strstr(f->fix.v[1], rows[i].grant) == f->fix.v[1],
           "which --fix runs there, and %s", rows[i].grant);
    }
}

static void test_disk(void)
{
    AUTO_SCRATCH struct scratch s = scratch_new();
    struct machine m = {.cache_fs = ""};
    host_machine_read_disk(s.path, &m);
    is_str(m.cache, s.path, "the disk's path");
    ok(m.free_bytes > 0 && m.free_inodes > 0, "what is free there");
    host_machine_read_disk("/dev/shm", &m);
    is_str(m.cache_fs, "a tmpfs", "a tmpfs is named");
}

int main(void)
{
    test_empty();
    test_full();
    test_distributions();
    test_disk();
    return done_testing();
}
