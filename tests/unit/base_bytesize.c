// SPDX-License-Identifier: Apache-2.0
// How many bytes, as people read it.
#include "internal/base/buf.h"
#include "internal/base/bytesize.h"
#include "tests/unit/tap.h"

static void check(uint64_t bytes, const char *want)
{
    AUTO_BUF struct buf b = {0};
    bytesize_add(&b, bytes);
    is_str(buf_str(&b), want, "%llu bytes", (unsigned long long)bytes);
}

int main(void)
{
    check(0, "0 B");
    check(999, "999 B");
    check(1000, "0.9 KiB");
    check(1536, "1.5 KiB");
    check(10239, "9.9 KiB");
    check(10240, "10 KiB");
    check(1023999, "999 KiB");
    check(1024000, "0.9 MiB");
    check(UINT64_C(164041412), "156 MiB");
    check(UINT64_MAX, "15 EiB");
    return done_testing();
}
