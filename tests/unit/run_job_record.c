// SPDX-License-Identifier: Apache-2.0
// The record of a running job.
#include "internal/base/buf.h"
#include "internal/run/job_record.h"
#include "tests/unit/tap.h"

#include <errno.h>

#define TEXT                                                                                     \
    "bryo-job 1\nid 0123456789ab\nlauncher 7\ninit 9\nstarted 1700000000\ncgroup /c/bryo-0123\n" \
    "command sh -c exit\n"

int main(void)
{
    struct job_record r = {0};
    AUTO_BUF struct buf b = {0};
    is_int(job_record_parse(TEXT, &r), 0, "a record");
    ok(strcmp(r.id, "0123456789ab") == 0 && r.launcher == 7 && r.init == 9 &&
           r.started_s == 1700000000 && strcmp(r.cgroup, "/c/bryo-0123") == 0 &&
           strcmp(r.command, "sh -c exit") == 0,
       "is read");
    job_record_format(&r, &b);
    is_str(buf_str(&b), TEXT, "and written");
    job_record_done(&r);
    // Cut anywhere it is none.
    bool good = true;
    for (size_t n = 0; n < sizeof(TEXT) - 1; n++) {
        char cut[sizeof(TEXT)];
        memcpy(cut, TEXT, n);
        cut[n] = '\0';
        if (job_record_parse(cut, &r) != -EINVAL) {
            diag("at %zu", n);
            good = false;
            job_record_done(&r);
        }
    }
    ok(good, "cut anywhere it is none");
    static const char *const bad[] = {
        TEXT "x", "bryo-job 2\n", "bryo-job 1\nid 00000000000000000\n",
        "bryo-job 1\nid 1\nlauncher -1\n", "bryo-job 1\nid 1\nlauncher 99999999999\n"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        is_int(job_record_parse(bad[i], &r), -EINVAL, "row %zu is none", i);
    return done_testing();
}
