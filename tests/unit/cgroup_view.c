// SPDX-License-Identifier: Apache-2.0
// Machines as /proc/self/mountinfo and /proc/self/cgroup tell of them.
#include "internal/cgroup/view.h"
#include "internal/job/limits.h"
#include "tests/unit/tap.h"

#define V2(root, dir) \
    "31 23 0:28 " root " " dir " rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"
#define V1(dir, options) "32 31 0:29 / " dir " rw,relatime - cgroup cgroup rw," options "\n"
#define OTHER            "23 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"

static void machines(void)
{
    // What is given, then what is found.
    static const struct { // NOLINT(clang-analyzer-optin.performance.Padding): in that order
        const char *what;
        const char *mounts;
        const char *own;
        enum cgroup_kind kind;
        const char *dir;
        unsigned v1;
    } rows[] = {
        {"cgroup v2", OTHER V2("/", "/sys/fs/cgroup"), "0::/user.slice/a.scope\n", CGROUP_V2,
         "/sys/fs/cgroup/user.slice/a.scope", 0},
        {"at its root", V2("/", "/sys/fs/cgroup"), "0::/\n", CGROUP_V2, "/sys/fs/cgroup", 0},
        {"a hybrid",
         V1("/sys/fs/cgroup/memory", "memory") V1("/sys/fs/cgroup/cpu,cpuacct", "cpu,cpuacct")
             V1("/sys/fs/cgroup/blkio", "blkio") V1("/sys/fs/cgroup/systemd", "name=systemd")
                 V2("/", "/sys/fs/cgroup/unified"),
         "4:memory:/x\n1:cpu:/\n0::/y\n", CGROUP_HYBRID, "/sys/fs/cgroup/unified/y",
         CONTROLLER_MEMORY | CONTROLLER_CPU | CONTROLLER_IO},
        {"v2 beside systemd's own v1 only",
         V1("/sys/fs/cgroup/systemd", "name=systemd") V2("/", "/sys/fs/cgroup/unified"),
         "1:name=systemd:/\n0::/\n", CGROUP_V2, "/sys/fs/cgroup/unified", 0},
        {"v1", V1("/sys/fs/cgroup/pids", "pids"), "1:pids:/\n", CGROUP_V1, NULL, CONTROLLER_PIDS},
        {"none", OTHER, "", CGROUP_NO, NULL, 0},
        {"a container that sees its part", V2("/docker/1", "/sys/fs/cgroup"), "0::/docker/1/a\n",
         CGROUP_V2, "/sys/fs/cgroup/a", 0},
        {"that part itself", V2("/docker/1", "/sys/fs/cgroup"), "0::/docker/1\n", CGROUP_V2,
         "/sys/fs/cgroup", 0},
        {"a process that is outside of it", V2("/docker/1", "/sys/fs/cgroup"), "0::/docker/10\n",
         CGROUP_V2, NULL, 0},
        {"or of the namespace", V2("/", "/sys/fs/cgroup"), "0::/../x\n", CGROUP_V2, NULL, 0},
        {"two mounts", V2("/", "/mnt/mine") V2("/", "/sys/fs/cgroup") V2("/", "/mnt/too"),
         "0::/a\n", CGROUP_V2, "/sys/fs/cgroup/a", 0},
        {"a blank in the name", V2("/", "/mnt/a\\040b"), "0::/a\n", CGROUP_V2, "/mnt/a b/a", 0},
        {"one that another covers",
         V1("/sys/fs/cgroup/memory", "memory") V2("/../..", "/sys/fs/cgroup/unified")
             V2("/", "/sys/fs/cgroup"),
         "0::/a\n", CGROUP_V2, "/sys/fs/cgroup/a", 0},
        {"one beside", V2("/", "/sys/fs/cgroup") OTHER V2("/", "/sys/fs/cgrou"), "0::/a\n",
         CGROUP_V2, "/sys/fs/cgroup/a", 0},
        {"cut short", "31 23 0:28 /", "0:", CGROUP_NO, NULL, 0},
        {"nonsense", "- cgroup2 - cgroup\n \n-\n", "0::", CGROUP_NO, NULL, 0},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct cgroup_view v;
        cgroup_view_parse(rows[i].mounts, rows[i].own, &v);
        is_int(v.kind, rows[i].kind, "%s", rows[i].what);
        is_str(v.dir, rows[i].dir, "  where the process is");
        is_int(v.v1, rows[i].v1, "  what is on version 1");
        cgroup_view_done(&v);
    }
}

static void paths(void)
{
    ok(cgroup_path_has_unit("/user.slice/user-1000.slice/user@1000.service/app.slice"), "units");
    ok(cgroup_path_has_unit("/a/b.scope/c"), "in the midst");
    ok(!cgroup_path_has_unit("/ci/job.d/.service/scope"), "none");
    static const struct {
        const char *a;
        const char *b;
        unsigned long n;
    } rows[] = {{"/s/a/b", "/s/a/c", 4}, {"/s/a", "/s/a/c", 4}, {"/s/a/c", "/s/a", 4},
                {"/s/ab", "/s/ac", 2},   {"/s/a", "/s/ab", 2},  {"/s", "/s", 2},
                {"/s/a", "/t/a", 0}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        is_int((long)cgroup_common(rows[i].a, rows[i].b), (long)rows[i].n, "%s and %s", rows[i].a,
               rows[i].b);
}

int main(void)
{
    machines();
    paths();
    return done_testing();
}
