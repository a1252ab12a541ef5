// SPDX-License-Identifier: Apache-2.0
// An .xz by threads, block by block, and by liblzma's own decoder: both take it and give the same
// bytes, or neither does. The first byte says how many threads.
#include "internal/base/buf.h"
#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/image/decode.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MEMORY  (32U << 20)
#define OUT_MAX (8U << 20)
#define STEP    65536U

static void require(bool holds)
{
    if (!holds)
        abort();
}

static int by_blocks(int fd, unsigned threads, struct buf *out, struct err *err)
{
    const struct decode_opts opts = {.fd = fd, .threads = threads, .memory = MEMORY};
    struct decode *d = NULL;
    struct chunk *c;
    if (decode_start(&opts, &d, err) < 0)
        return -err->num;
    while (out->len < OUT_MAX && (c = decode_next(d))) {
        buf_add(out, c->data, c->len);
        chunk_unref(c);
    }
    int r = out->len < OUT_MAX ? decode_failure(d, err) : 0;
    decode_free(d);
    return r;
}

static int by_stream(int fd, struct buf *out, struct err *err)
{
    const struct stream_opts opts = {1, MEMORY};
    struct stream *s = NULL;
    ssize_t n = 1;
    if (stream_open(fd, &opts, &s, err) < 0)
        return -err->num;
    while (out->len < OUT_MAX && (n = stream_read(s, buf_reserve(out, STEP), STEP, err)) > 0)
        out->len += (size_t)n;
    stream_close(s);
    return n < 0 ? (int)n : 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_BUF struct buf a = {0};
    AUTO_BUF struct buf b = {0};
    struct err ea = {0};
    struct err eb = {0};
    if (size < 1)
        return 0;
    AUTO_FD int fd = memfd_create("input", MFD_CLOEXEC);
    require(fd >= 0 && write(fd, data + 1, size - 1) == (ssize_t)(size - 1) &&
            lseek(fd, 0, SEEK_SET) == 0);
    int ra = by_blocks(fd, 1 + data[0] % 4, &a, &ea);
    int rb = by_stream(fd, &b, &eb);
    require(ra == 0 || (ea.num > 0 && ea.text[0]));
    if (a.len >= OUT_MAX || b.len >= OUT_MAX || ra == -ENOMEM || rb == -ENOMEM)
        return 0; // a bomb, or one that is larger than the other's idea of too large
    require((ra == 0) == (rb == 0));
    require(ra < 0 || (a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0)));
    return 0;
}
