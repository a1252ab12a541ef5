// SPDX-License-Identifier: Apache-2.0
// Reading the facts of a machine that is made of files in a directory.
#include "internal/base/cleanup.h"
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
    test_disk();
    return done_testing();
}
