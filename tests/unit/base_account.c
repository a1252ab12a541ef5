// SPDX-License-Identifier: Apache-2.0
#include "internal/base/account.h"

#include "internal/base/buf.h"
#include "internal/base/fd.h"
#include "tests/unit/tap.h"

#include <errno.h>
#include <fcntl.h>

// A number that no line of /etc/passwd has.
static uid_t unused_uid(const char *passwd)
{
    uid_t uid = 3999999;
    for (;; uid--) {
        AUTO_FREE char *field = str_fmt(":%u:", uid);
        if (!strstr(passwd, field))
            return uid;
    }
}

int main(void)
{
    AUTO_BUF struct buf passwd = {0};
    AUTO_ACCOUNT struct account root = {0};
    AUTO_ACCOUNT struct account nobody = {0};
    ok(fd_read_file(AT_FDCWD, "/etc/passwd", 1 << 20, &passwd) == 0, "/etc/passwd is read");
    is_int(account_of(0, &root), 0, "uid 0 is known");
    is_str(root.name, "root", "by its name");
    is_str(root.home, "/root", "and its home");
    is_int(account_of(unused_uid(buf_str(&passwd)), &nobody), -ENOENT, "one that nothing knows");
    ok(!nobody.name && !nobody.home, "gives nothing");
    is_int(account_of((uid_t)-1, &nobody), -ENOENT, "nor does the id that is none");
    account_done(&root);
    account_done(&root);
    ok(!root.name, "done twice");
    return done_testing();
}
