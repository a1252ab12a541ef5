// SPDX-License-Identifier: Apache-2.0
#include "internal/image/digest.h"

#include "internal/base/buf.h"
#include "internal/base/cleanup.h"
#include "internal/base/err.h"

#include <inttypes.h>
#include <nettle/sha2.h>

#define BLOCK (256U << 10)

int digest_fd(int fd, char ret_hex[65], struct err *err)
{
    AUTO_FREE unsigned char *block = mem_alloc(BLOCK);
    struct sha256_ctx ctx;
    uint8_t sum[SHA256_DIGEST_SIZE];
    off_t at = 0;
    sha256_init(&ctx);
    for (;;) {
        ssize_t n = pread(fd, block, BLOCK, at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_sys(err, errno, "cannot read the tarball at byte %" PRIu64, (uint64_t)at);
        if (n == 0)
            break;
        sha256_update(&ctx, (size_t)n, block);
        at += n;
    }
    sha256_digest(&ctx, sizeof(sum), sum);
    for (size_t i = 0; i < sizeof(sum); i++)
        (void)snprintf(ret_hex + 2 * i, 3, "%02x", sum[i]);
    return 0;
}
