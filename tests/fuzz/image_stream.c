// SPDX-License-Identifier: Apache-2.0
// Stream detection, the decoders and the strict reader of tar headers, on whatever file. The first
// byte says in which steps the bytes are handed on, and with how many threads they are decoded.
#include "internal/base/buf.h"
#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/image/stream.h"
#include "internal/image/tarscan.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define OUT_MAX (4U << 20)

static void require(bool holds)
{
    if (!holds)
        abort();
}

// What is popped has a name, and a link where its type has one.
static void pop_all(struct tarscan *s)
{
    struct tar_member m;
    while (tarscan_pop(s, &m)) {
        require(m.path && m.path[0]);
        require((m.link != NULL) == (m.type == TAR_SYMLINK || m.type == TAR_HARDLINK));
        tar_member_done(&m);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    size_t step = 1 + (size_t)(data[0] & 0x7f) * 37;
    struct stream_opts opts = {1 + (data[0] >> 7), 32U << 20};
    AUTO_FD int fd = memfd_create("input", MFD_CLOEXEC);
    require(fd >= 0 && write(fd, data + 1, size - 1) == (ssize_t)(size - 1) &&
            lseek(fd, 0, SEEK_SET) == 0);
    struct err err = {0};
    struct stream *s = NULL;
    if (stream_open(fd, &opts, &s, &err) < 0) {
        require(err.num > 0 && err.text[0]);
        return 0;
    }
    struct tarscan *scan = tarscan_new();
    AUTO_FREE unsigned char *block = mem_alloc(step);
    ssize_t n = 0;
    int r = 0;
    for (size_t total = 0; r == 0 && total < OUT_MAX; total += (size_t)n) {
        n = stream_read(s, block, step, &err);
        if (n <= 0)
            break;
        r = tarscan_push(scan, block, (size_t)n, &err);
        pop_all(scan);
    }
    require((r == 0 && n >= 0) || (err.num > 0 && err.text[0]));
    require(stream_input_offset(s) <= size - 1);
    tarscan_free(scan);
    stream_close(s);
    return 0;
}
