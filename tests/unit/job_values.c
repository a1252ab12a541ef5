// SPDX-License-Identifier: Apache-2.0
// --ulimit, --time-offset, --hostname, and the defaults of a spec.
#include "internal/base/err.h"
#include "internal/job/hostname.h"
#include "internal/job/spec.h"
#include "internal/job/timeoffset.h"
#include "internal/job/ulimit.h"
#include "tests/unit/tap.h"

#include <errno.h>
#include <sys/resource.h>

static void ulimits(void)
{
    static const struct {
        const char *value;
        int resource; // -1: refused
        uint64_t soft;
        uint64_t hard;
    } rows[] = {
        {"nofile=1024", RLIMIT_NOFILE, 1024, 1024},
        {"nofile=1024:2048", RLIMIT_NOFILE, 1024, 2048},
        {"core=0", RLIMIT_CORE, 0, 0},
        {"core=-1", RLIMIT_CORE, UINT64_MAX, UINT64_MAX},
        {"stack=0:unlimited", RLIMIT_STACK, 0, UINT64_MAX},
        {"memlock=unlimited:-1", RLIMIT_MEMLOCK, UINT64_MAX, UINT64_MAX},
        {"as=18446744073709551615", RLIMIT_AS, UINT64_MAX, UINT64_MAX},
        {"nofile=2048:1024", -1, 0, 0},
        {"nofile=unlimited:5", -1, 0, 0},
        {"nofile", -1, 0, 0},
        {"nofile=", -1, 0, 0},
        {"nofile=:5", -1, 0, 0},
        {"nofile=5:", -1, 0, 0},
        {"nofile=5:6:7", -1, 0, 0},
        {"nofile=-2", -1, 0, 0},
        {"nofile=1k", -1, 0, 0},
        {"nofile=18446744073709551616", -1, 0, 0},
        {"=5", -1, 0, 0},
        {"NOFILE=5", -1, 0, 0},
        {"files=5", -1, 0, 0},
        {"", -1, 0, 0},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct rlimit_req q = {.resource = -1};
        struct err err = {0};
        int r = ulimit_parse(rows[i].value, &q, &err);
        ok((r == 0) == (rows[i].resource >= 0) && q.resource == rows[i].resource &&
               (r < 0 || (q.soft == rows[i].soft && q.hard == rows[i].hard)) &&
               (r == 0 || (err.num == -r && *err.text)),
           "--ulimit \"%s\"", rows[i].value);
    }
    int named = 0;
    for (int i = 0; i < RLIM_NLIMITS; i++)
        named += *ulimit_name(i) != '\0';
    is_int(named, RLIM_NLIMITS, "every limit of the kernel has a name");
    is_str(ulimit_name(99), "", "what is none has none");
}

static void offsets(void)
{
    static const struct {
        const char *value;
        int result;
        int64_t boottime;
        int64_t monotonic;
    } rows[] = {
        {"boottime=5", 0, 5, 0},
        {"monotonic=-5", 0, 0, -5},
        {"boottime=1d,monotonic=-1h30m", 0, 86400, -5400},
        {"monotonic=7,boottime=8", 0, 8, 7},
        {"boottime=1,boottime=2", 0, 2, 0},
        {"boottime=0", 0, 0, 0},
        {"boottime=4611686018", 0, 4611686018, 0},
        {"boottime=-4611686018", 0, -4611686018, 0},
        {"boottime=4611686019", -ERANGE, 0, 0},
        {"boottime=99999999999999999999", -ERANGE, 0, 0},
        {"boottime=1500ms", -EINVAL, 0, 0},
        {"boottime=", -EINVAL, 0, 0},
        {"boottime=-", -EINVAL, 0, 0},
        {"boottime=--5", -EINVAL, 0, 0},
        {"boottime=+5", -EINVAL, 0, 0},
        {"boottime=5,", -EINVAL, 0, 0},
        {",boottime=5", -EINVAL, 0, 0},
        {"boottime=5;monotonic=6", -EINVAL, 0, 0},
        {"realtime=5", -EINVAL, 0, 0},
        {"5", -EINVAL, 0, 0},
        {"", -EINVAL, 0, 0},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct time_offsets t = {4711, 4711};
        struct err err = {0};
        int r = timeoffset_parse(rows[i].value, &t, &err);
        int64_t b = r == 0 ? rows[i].boottime : 4711;
        int64_t m = r == 0 ? rows[i].monotonic : 4711;
        ok(r == rows[i].result && t.boottime_s == b && t.monotonic_s == m, "--time-offset \"%s\"",
           rows[i].value);
    }
}

static void hostnames(void)
{
    static const char label63[] = "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggg";
    static const char *const good[] = {"bryo", "a", "A-1.b--c", "127", "3com.example", label63};
    static const char *const bad[] = {
        "",
        ".",
        "a.",
        ".a",
        "a..b",
        "-a",
        "a-",
        "a.-b",
        "a_b",
        "a b",
        "a/b",
        "gr\xc3\xbcn",
        "a\n",
        "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggggg",
        "aaaaaaaaaabbbbbbbbbbccccccccccdddddddddd.eeeeeeeeeffffffffffggggg"};
    struct err err = {0};
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        is_int(hostname_check(good[i], &err), 0, "host name \"%s\"", good[i]);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        is_int(hostname_check(bad[i], &err), -EINVAL, "row %zu is no host name", i);
    is_int(
        hostname_check("aaaaaaaaaabbbbbbbbbbccccccccccdddddddddd.eeeeeeeeeffffffffffggggg", &err),
        -EINVAL, "65 bytes");
    is_int(hostname_check("aaaaaaaaaabbbbbbbbbbccccccccccdddddddddd.eeeeeeeeeffffffffffgggg", &err),
           0, "64 bytes");
}

static void defaults(void)
{
    struct job_spec s;
    job_spec_init(&s);
    is_int(s.max_unpacked, (int64_t)64 << 30, "64 GiB of files");
    is_int(s.max_entries, 4000000, "4,000,000 entries");
    is_int(s.umask, 022, "umask");
    is_int(s.grace_us, 5000000, "grace");
    is_str(s.hostname, "bryo", "host name");
    ok(s.net.mode == NETWORK_SLIRP && s.userns == USERNS_AUTO && s.keep == KEEP_NEVER &&
           s.workspace == WORKSPACE_AUTO && !s.rootfs && !s.user && s.timeout_us == 0,
       "the rest");
    job_spec_done(&s);
    job_spec_done(&s);
    ok(!s.hostname, "done twice");
}

int main(void)
{
    ulimits();
    offsets();
    hostnames();
    defaults();
    return done_testing();
}
