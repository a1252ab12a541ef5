// SPDX-License-Identifier: Apache-2.0
#include "internal/base/buf.h"
#include "internal/base/err.h"
#include "internal/job/userdb.h"
#include "tests/unit/tap.h"

#include <errno.h>

static const char passwd[] = "root:x:0:0:root:/root:/bin/sh\n"
                             "# ann:x:7:7::/no:/bin/sh\n"
                             "short:x:1\n"
                             "neg:x:-1:0::/:/bin/sh\n"
                             "big:x:4294967295:0::/:/bin/sh\n"
                             "ann:x:1000:1000:Ann,,,:/users/ann:/bin/bash\n"
                             "relative:x:1001:100::home/x:/bin/sh\n"
                             "nohome:x:1002:100\n"
                             "ann:x:2000:2000::/second:/bin/sh\n"
                             "alias:x:1000:50::/alias:/bin/sh\n"
                             "77:x:5000:5000::/num:/bin/sh";
static const char group[] = "root:x:0:\n"
                            "#video:x:1:ann\n"
                            "wheel:x:10:bob,ann\n"
                            "annex:x:11:annex\n"
                            "video:x:44:ann\n"
                            "again:x:44:ann,ann\n"
                            "ann:x:1000:ann\n"
                            "broken:x:y:ann\n"
                            "few:x:12\n"
                            "audio:x:29:x,,ann";

static void found(const char *user, const char *want)
{
    struct job_user u = {0};
    struct err err = {0};
    AUTO_BUF struct buf b = {0};
    int r = userdb_lookup(user, passwd, group, &u, &err);
    if (r == 0)
        buf_addf(&b, "%u:%u %s %s", u.uid, u.gid, u.name ? u.name : "-", u.home);
    else
        buf_addf(&b, "error %d", r);
    for (size_t i = 0; i < u.n_groups; i++)
        buf_addf(&b, " %u", u.groups[i]);
    is_str(buf_str(&b), want, "%s", user ? user : "(none)");
    ok(r == 0 || (err.num == -r && *err.text), "%s: has a reason", user ? user : "(none)");
    job_user_done(&u);
    job_user_done(&u);
}

static void many_groups(void)
{
    AUTO_BUF struct buf text = {0};
    struct job_user u = {0};
    struct err err = {0};
    for (int i = 70000; i > 0; i--)
        buf_addf(&text, "g:x:%d:ann\n", i);
    is_int(userdb_lookup("ann", passwd, buf_str(&text), &u, &err), -E2BIG,
           "more groups than the kernel takes");
    ok(u.n_groups == 0 && !u.groups, "nothing comes back then");
}

static void forms(void)
{
    static const char *const bad[] = {
        "", ":", "ann:", ":ann", "a:b:c", "4294967295", "1:4294967295", "99999999999999999999"};
    static const char *const good[] = {"0", "ann", "ann:wheel", "4294967294:4294967294", "-5"};
    struct err err = {0};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct job_user u = {0};
        ok(userdb_check(bad[i], &err) < 0, "\"%s\" is no user", bad[i]);
        ok(userdb_lookup(bad[i], passwd, group, &u, &err) < 0, "\"%s\" is not looked up", bad[i]);
    }
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        is_int(userdb_check(good[i], &err), 0, "\"%s\" may be one", good[i]);
}

int main(void)
{
    found(NULL, "0:0 root /root");
    found("0", "0:0 root /root");
    found("root", "0:0 root /root");
    found("ann", "1000:1000 ann /users/ann 10 29 44");
    found("1000", "1000:1000 ann /users/ann 10 29 44");
    found("ann:wheel", "1000:10 ann /users/ann");
    found("ann:0", "1000:0 ann /users/ann");
    found("1000:12", "1000:12 ann /users/ann");
    found("12345", "12345:0 - /");
    found("12345:wheel", "12345:10 - /");
    found("4294967294:4294967294", "4294967294:4294967294 - /");
    found("relative", "1001:100 relative /");
    found("nohome", "1002:100 nohome /");
    found("77", "77:0 - /");
    found("0x0", "error -2");
    found("-1", "error -2");
    found("+0", "error -2");
    found(" 0", "error -2");
    found("short", "error -2");
    found("neg", "error -2");
    found("big", "error -2");
    found("nobody", "error -2");
    found("ann:nogroup", "error -2");
    found("ann:broken", "error -2");
    found("ann\t", "error -2");
    struct job_user u = {0};
    struct err err = {0};
    is_int(userdb_lookup(NULL, "", "", &u, &err), 0, "a root without passwd");
    ok(u.uid == 0 && u.gid == 0 && !u.name && strcmp(u.home, "/") == 0, "has a root user still");
    job_user_done(&u);
    many_groups();
    forms();
    return done_testing();
}
