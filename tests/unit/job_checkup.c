// SPDX-License-Identifier: Apache-2.0
// What bryo doctor makes of machines that are none of ours: facts in, findings out.
#include "internal/base/cleanup.h"
#include "internal/job/checkup.h"
#include "tests/unit/tap.h"

#include <errno.h>

struct patient {
    struct machine m;
    struct attempted tried[ATTEMPTS];
    struct err said[ATTEMPTS];
};

static struct patient healthy(void)
{
    struct patient p = {.m = {.os_name = "Debian GNU/Linux 12 (bookworm)",
                              .os_ids = "debian",
                              .release = "6.1.0-50-amd64",
                              .kernel = 6001,
                              .uid = 1000,
                              .user = "anna",
                              .bryo = "/usr/local/bin/bryo",
                              .max_user_namespaces = 15000,
                              .unprivileged_userns_clone = FACT_UNKNOWN,
                              .apparmor_restrict = FACT_UNKNOWN,
                              .max_keys = 200,
                              .used_keys = 3,
                              .inotify_instances = 128,
                              .inotify_watches = 65536,
                              .newuidmap = true,
                              .subuids = 65536,
                              .subgids = 65536,
                              .free_range = 196608,
                              .tun = true,
                              .tun_mode = 0666,
                              .cache = "/home/user/.cache",
                              .cache_fs = "",
                              .free_bytes = 20ULL << 30,
                              .free_inodes = UINT64_MAX}};
    for (int i = 0; i < ATTEMPTS; i++)
        p.tried[i].done = true;
    return p;
}

static void fail_with(struct patient *p, enum attempt a, int num)
{
    p->tried[a].num = num;
}

static const struct finding *find(const struct checkup *c, const char *name)
{
    static const struct finding none = {.name = "", .found = NULL, .remedy = NULL};
    for (size_t i = 0; i < c->n; i++)
        if (strcmp(c->v[i].name, name) == 0)
            return &c->v[i];
    return &none;
}

// Judges, and looks at one finding: its health, words of its remedy and of its first fix ("" none).
static void expect(const struct patient *p, const char *what, const char *name, enum health health,
                   const char *remedy, const char *fix)
{
    AUTO_CHECKUP struct checkup c = {0};
    checkup_judge(&p->m, p->tried, p->said, &c);
    const struct finding *f = find(&c, name);
    is_str(health_word(f->health), health_word(health), "%s: %s", what, name);
    bool right = ok(f->remedy && strstr(f->remedy, remedy) && (*remedy || !*f->remedy),
                    "%s: the remedy is \"%s\"", what, remedy);
    if (!right)
        diag("got: %s", f->remedy ? f->remedy : "NULL");
    const char *got = f->fix.n ? f->fix.v[0] : "";
    if (!ok(strstr(got, fix) && (*fix || !*got), "%s: root would run \"%s\"", what, fix))
        diag("got: %s", got);
}

static void test_healthy(void)
{
    struct patient p = healthy();
    AUTO_CHECKUP struct checkup c = {0};
    AUTO_BUF struct buf json = {0};
    checkup_judge(&p.m, p.tried, p.said, &c);
    size_t bad = 0;
    for (size_t i = 0; i < c.n; i++)
        if (c.v[i].health != HEALTH_WORKS || c.v[i].remedy[0] || c.v[i].fix.n) {
            diag("%s: %s", c.v[i].name, c.v[i].found);
            bad++;
        }
    is_int((intmax_t)bad, 0, "a healthy machine has no complaint");
    ok(c.n >= 15, "and %zu findings", c.n);
    ok(checkup_fit(&c), "jobs run there");
    checkup_to_json(&p.m, &c, &json);
    ok(strncmp(buf_str(&json), "{\"fit\":true,\"os\":\"Debian", 24) == 0, "JSON says so");
}

static void test_userns(void)
{
    struct patient p = healthy();
    fail_with(&p, ATTEMPT_USERNS, EPERM);
    p.m.unprivileged_userns_clone = 0;
    expect(&p, "an old Debian", "user namespace", HEALTH_MISSING,
           "kernel.unprivileged_userns_clone=1", "sysctl -w kernel.unprivileged_userns_clone=1");
    p = healthy();
    fail_with(&p, ATTEMPT_USERNS, ENOSPC);
    p.m.max_user_namespaces = 0;
    expect(&p, "none allowed", "user namespace", HEALTH_MISSING, "user.max_user_namespaces=28633",
           "sysctl -w user.max_user_namespaces=28633");
    p = healthy(); // AppArmor lets the namespace be made, and takes root's rights in it
    fail_with(&p, ATTEMPT_MNT, EACCES);
    p.m.apparmor_restrict = 1;
    expect(&p, "Ubuntu 24.04", "namespaces", HEALTH_MISSING, "AppArmor",
           "profile bryo \"/usr/local/{bin/bryo,libexec/bryo/*}\"");
    p = healthy();
    fail_with(&p, ATTEMPT_USERNS, EPERM);
    p.m.container = "docker";
    expect(&p, "docker", "user namespace", HEALTH_MISSING,
           "docker run --security-opt seccomp=unconfined", "");
    p.m.container = "Kubernetes";
    expect(&p, "Kubernetes", "user namespace", HEALTH_MISSING, "seccompProfile: {type: Unconfined}",
           "");
    p = healthy();
    fail_with(&p, ATTEMPT_TIME, EINVAL);
    expect(&p, "no time namespace", "namespaces", HEALTH_DEGRADED, "a kernel", "");
    p = healthy();
    p.m.kernel = 5010;
    expect(&p, "Linux 5.10", "kernel", HEALTH_MISSING, "5.14", "");
}

static void test_proc(void)
{
    struct patient p = healthy();
    fail_with(&p, ATTEMPT_PROC, EPERM);
    p.m.proc_masked = true;
    p.m.container = "docker";
    expect(&p, "docker's masks", "mounts", HEALTH_MISSING, "--security-opt systempaths=unconfined",
           "");
    p.m.container = "Kubernetes";
    expect(&p, "Kubernetes' masks", "mounts", HEALTH_MISSING, "procMount: Unmasked", "");
}

static void test_ids(void)
{
    struct patient p = healthy();
    p.tried[ATTEMPT_IDS].done = false;
    p.m.newuidmap = false;
    expect(&p, "no uidmap on Debian", "subordinate ids", HEALTH_DEGRADED,
           "apt-get install -y uidmap", "apt-get install -y uidmap");
    strcpy(p.m.os_ids, "fedora");
    expect(&p, "no uidmap on Fedora", "subordinate ids", HEALTH_DEGRADED,
           "dnf install -y shadow-utils", "dnf install -y shadow-utils");
    strcpy(p.m.os_ids, "linuxmint ubuntu debian");
    expect(&p, "a kin of Ubuntu", "subordinate ids", HEALTH_DEGRADED, "apt-get", "apt-get");
    strcpy(p.m.os_ids, "nixos");
    expect(&p, "an unknown one", "subordinate ids", HEALTH_DEGRADED, "install newuidmap", "");
    p = healthy();
    p.tried[ATTEMPT_IDS].done = false;
    p.m.subuids = p.m.subgids = 0;
    expect(&p, "no range", "subordinate ids", HEALTH_DEGRADED,
           "usermod --add-subuids 196608-262143 --add-subgids 196608-262143 anna",
           "usermod --add-subuids 196608-262143");
    p.m.user[0] = '\0';
    expect(&p, "no name", "subordinate ids", HEALTH_DEGRADED, "echo 1000:196608:65536",
           "echo 1000:196608:65536");
    p = healthy();
    strcpy(p.m.overlaps, "bert");
    expect(&p, "an overlap", "subordinate ids", HEALTH_DEGRADED, "another range", "");
    p = healthy();
    fail_with(&p, ATTEMPT_IDS, EPERM);
    p.m.newuidmap_nosuid = true;
    expect(&p, "nosuid", "subordinate ids", HEALTH_DEGRADED, "mounted nosuid", "");
    p.m.newuidmap_nosuid = false;
    p.m.newuidmap_plain = true;
    expect(&p, "no privilege", "subordinate ids", HEALTH_DEGRADED, "chmod u+s", "chmod u+s");
}

static void test_rest(void)
{
    struct patient p = healthy();
    fail_with(&p, ATTEMPT_OVERLAY, EINVAL);
    p.m.cache_fs = "NFS";
    expect(&p, "a home on NFS", "overlay", HEALTH_DEGRADED, "XDG_CACHE_HOME=/var/tmp/anna", "");
    fail_with(&p, ATTEMPT_OVERLAY, ENODEV);
    expect(&p, "no overlay module", "overlay", HEALTH_DEGRADED, "modprobe overlay",
           "modprobe overlay");
    p = healthy();
    p.m.tun = false;
    p.m.container = "docker";
    fail_with(&p, ATTEMPT_TUN, ENOENT);
    expect(&p, "no tun in docker", "tap device", HEALTH_MISSING, "docker run --device /dev/net/tun",
           "[ -e");
    p = healthy();
    p.m.tun_mode = 0600;
    fail_with(&p, ATTEMPT_TUN, EACCES);
    expect(&p, "a closed tun", "tap device", HEALTH_MISSING, "chmod 0666",
           "chmod 0666 /dev/net/tun");
    p = healthy();
    (void)err_set(&p.said[ATTEMPT_NETWORK], EIO, "TCP goes through libslirp, at a third");
    expect(&p, "no TPROXY", "fast path", HEALTH_DEGRADED, "modprobe -a nf_tables nft_tproxy",
           "modprobe -a nf_tables nft_tproxy");
    p = healthy();
    fail_with(&p, ATTEMPT_PING, EACCES);
    expect(&p, "no ping", "ping", HEALTH_DEGRADED, "net.ipv4.ping_group_range",
           "sysctl -w net.ipv4.ping_group_range='0 2147483647'");
    p = healthy();
    p.m.used_keys = 199;
    expect(&p, "few keys left", "keyring", HEALTH_DEGRADED, "kernel.keys.maxkeys=2000",
           "sysctl -w kernel.keys");
    p = healthy();
    p.m.inotify_watches = 100;
    expect(&p, "few watches", "inotify", HEALTH_DEGRADED, "fs.inotify.max_user_watches=65536",
           "sysctl -w");
    p = healthy();
    fail_with(&p, ATTEMPT_IO, EIO);
    (void)err_set(&p.said[ATTEMPT_IO], EIO, "--io-weight cannot be held");
    (void)err_hint(&p.said[ATTEMPT_IO], "as root: d=...; echo 'Delegate=io' >$d/delegate.conf");
    expect(&p, "io is not delegated", "limits", HEALTH_DEGRADED, "delegate.conf",
           "mkdir -p /etc/systemd");
    fail_with(&p, ATTEMPT_MEMORY, EIO);
    fail_with(&p, ATTEMPT_CPU, EIO);
    fail_with(&p, ATTEMPT_PIDS, EIO);
    (void)err_hint(&p.said[ATTEMPT_MEMORY], "as root: loginctl enable-linger anna");
    expect(&p, "no user's systemd", "limits", HEALTH_MISSING, "enable-linger",
           "loginctl enable-linger anna");
    p = healthy();
    p.m.free_bytes = 1 << 20;
    expect(&p, "a full disk", "disk", HEALTH_DEGRADED, "bryo image prune", "");
}

static void subids(const char *what, const char *text, uint64_t count, const char *overlaps,
                   uint32_t free_range)
{
    uint64_t got = 7;
    char name[64] = "";
    uint32_t range = 131072;
    checkup_subids(text, "anna", 1000, &got, name, sizeof(name), &range);
    is_int((intmax_t)got, (intmax_t)count, "%s: %ju ids", what, (uintmax_t)count);
    is_str(name, overlaps, "%s: shared with \"%s\"", what, overlaps);
    is_int(range, free_range, "%s: the next free range", what);
}

static void test_texts(void)
{
    subids("an empty file", "", 0, "", 131072);
    subids("one line", "anna:100000:65536\n", 65536, "", 196608);
    subids("two lines, one by number", "1000:100000:65536\nanna:200000:10", 65546, "", 262144);
    subids("a neighbour", "anna:100000:65536\nbert:165536:65536\n", 65536, "", 262144);
    subids("an overlap of one id", "anna:100000:65536\nbert:165535:1\n", 65536, "bert", 196608);
    subids("rubbish", "bert:1:2\nrubbish\n:::\nanna:x:1\nanna:1:0\n", 0, "", 131072);
    subids("another name that begins the same", "annabel:100000:65536\n", 0, "", 196608);
    ok(!checkup_proc_masked(""), "nothing is mounted, nothing is masked");
    ok(!checkup_proc_masked("22 27 0:21 / /proc rw - proc proc rw\n"
                            "30 22 0:25 / /proc/sys/fs/binfmt_misc rw - autofs systemd-1 rw\n"),
       "binfmt_misc hides nothing");
    ok(checkup_proc_masked(
           "22 27 0:21 / /proc rw - proc proc rw\n30 22 0:25 / /proc/acpi ro - tmpfs tmpfs ro"),
       "docker's tmpfs does");
    ok(!checkup_proc_masked("22 27 0:21 / /processes rw - ext4 a rw\n1 2\n"),
       "other names are not it");
}

int main(void)
{
    test_healthy();
    test_userns();
    test_proc();
    test_ids();
    test_rest();
    test_texts();
    return done_testing();
}
