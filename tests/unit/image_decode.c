// SPDX-License-Identifier: Apache-2.0
// Threads that decode an .xz block by block take exactly what liblzma's own decoder takes, and give
// the same bytes: files of several blocks and streams, whole, cut off anywhere, with any bit
// flipped, with something behind.
#include "internal/base/buf.h"
#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/image/decode.h"
#include "tests/unit/tap.h"

#include <lzma.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define MEMORY (64U << 20)

static int file_of(const void *bytes, size_t n)
{
    int fd = memfd_create("input", MFD_CLOEXEC);
    if (fd < 0 || write(fd, bytes, n) != (ssize_t)n || lseek(fd, 0, SEEK_SET) != 0)
        abort();
    return fd;
}

static int by_blocks(int fd, unsigned threads, uint64_t memory, struct buf *out, struct err *err)
{
    const struct decode_opts opts = {.fd = fd, .threads = threads, .memory = memory};
    struct decode *d = NULL;
    struct chunk *c;
    int r = decode_start(&opts, &d, err);
    if (r < 0)
        return r;
    while ((c = decode_next(d))) {
        buf_add(out, c->data, c->len);
        chunk_unref(c);
    }
    r = decode_failure(d, err);
    decode_free(d);
    return r;
}

static int by_stream(int fd, struct buf *out, struct err *err)
{
    const struct stream_opts opts = {1, MEMORY};
    struct stream *s = NULL;
    ssize_t n = 0;
    int r = stream_open(fd, &opts, &s, err);
    while (r == 0 && (n = stream_read(s, buf_reserve(out, 70000), 70000, err)) > 0)
        out->len += (size_t)n;
    stream_close(s);
    return r < 0 ? r : (int)n;
}

// Whether both agree; what was taken is counted.
static bool agree(const void *bytes, size_t n, unsigned threads, unsigned *taken)
{
    AUTO_BUF struct buf a = {0};
    AUTO_BUF struct buf b = {0};
    struct err ea = {0};
    struct err eb = {0};
    AUTO_FD int fd = file_of(bytes, n);
    int ra = by_blocks(fd, threads, MEMORY, &a, &ea);
    int rb = by_stream(fd, &b, &eb);
    *taken += ra == 0;
    if ((ra == 0) != (rb == 0))
        diag("%zu bytes: %s | %s", n, ra ? ea.text : "taken", rb ? eb.text : "taken");
    if (ra < 0 && (ra != -ea.num || !ea.text[0]))
        return false;
    return (ra == 0) == (rb == 0) &&
           (ra < 0 || (a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0)));
}

// Text that compresses, and not to nothing.
static void fill(unsigned char *plain, size_t n)
{
    for (size_t i = 0; i < n; i++)
        plain[i] = (unsigned char)(i * i >> 7);
}

// sizes: in the headers of the blocks, as xz -T writes them; without, as xz -T1 does.
static size_t pack(const unsigned char *plain, size_t n, size_t block, bool sizes,
                   unsigned char *to, size_t room)
{
    lzma_stream strm = LZMA_STREAM_INIT;
    lzma_mt mt = {.threads = 1, .block_size = block, .preset = 1, .check = LZMA_CHECK_CRC64};
    lzma_ret r =
        sizes ? lzma_stream_encoder_mt(&strm, &mt) : lzma_easy_encoder(&strm, 1, LZMA_CHECK_CRC32);
    strm.next_out = to;
    strm.avail_out = room;
    for (size_t at = 0; at < n && r == LZMA_OK && !sizes; at += block) {
        strm.next_in = plain + at;
        strm.avail_in = n - at < block ? n - at : block;
        r = lzma_code(&strm, LZMA_FULL_FLUSH) == LZMA_STREAM_END ? LZMA_OK : LZMA_PROG_ERROR;
    }
    if (sizes) {
        strm.next_in = plain;
        strm.avail_in = n;
    }
    if (r != LZMA_OK || lzma_code(&strm, LZMA_FINISH) != LZMA_STREAM_END)
        abort();
    size_t size = strm.total_out;
    lzma_end(&strm);
    return size;
}

#define BIG ((size_t)5 << 20)

static void test_whole(void)
{
    AUTO_FREE unsigned char *plain = mem_alloc(BIG);
    AUTO_FREE unsigned char *packed = mem_alloc(2 * BIG);
    unsigned taken = 0;
    unsigned wanted = 0;
    fill(plain, BIG);
    for (int sizes = 0; sizes < 2; sizes++) {
        for (size_t block = 100000; block < 2 * BIG; block *= 10) {
            size_t n = pack(plain, BIG, block, sizes != 0, packed, 2 * BIG);
            for (unsigned threads = 1; threads <= 8; threads *= 2, wanted++)
                ok(agree(packed, n, threads, &taken), "blocks of %zu, %s, %u threads", block,
                   sizes ? "with sizes" : "without", threads);
        }
    }
    is_int(taken, wanted, "all were taken");
}

// Two streams with padding between them, of several blocks each, one of them without sizes; and one
// of no blocks.
static size_t small_file(unsigned char *to, size_t room)
{
    unsigned char plain[3000];
    fill(plain, sizeof(plain));
    size_t n = pack(plain, sizeof(plain), 900, true, to, room);
    memset(to + n, 0, 8);
    n += 8;
    n += pack(plain, sizeof(plain), 1400, false, to + n, room - n);
    n += pack(plain, 0, 900, true, to + n, room - n);
    return n;
}

static void test_damage(void)
{
    unsigned char file[16384];
    size_t n = small_file(file, sizeof(file) - 512);
    unsigned taken = 0;
    ok(agree(file, n, 2, &taken) && taken == 1, "a file of three streams (%zu bytes)", n);
    unsigned same = 0;
    taken = 0;
    for (size_t cut = 0; cut < n; cut++)
        same += agree(file, cut, 2, &taken);
    is_int(same, (int64_t)n, "cut off anywhere: the same verdict");
    is_int(taken, 4, "which is yes only between streams, and in the padding between by fours");
    same = 0;
    taken = 0;
    for (size_t at = 0; at < n; at++) {
        file[at] ^= (unsigned char)(1U << at % 8);
        same += agree(file, n, 2, &taken);
        file[at] ^= (unsigned char)(1U << at % 8);
    }
    is_int(same, (int64_t)n, "with a bit flipped in any byte: the same verdict");
    is_int(taken, 0, "which is no");
    same = 0;
    taken = 0;
    memset(file + n, 0, 512);
    for (size_t more = 1; more <= 64; more++)
        same += agree(file, n + more, 2, &taken);
    is_int(same, 64, "zeros behind it: the same verdict");
    is_int(taken, 16, "which is yes by fours");
    for (size_t more = 1; more <= 64; more++) {
        file[n + more - 1] = 'x';
        same += agree(file, n + more, 2, &taken);
        file[n + more - 1] = 0;
    }
    is_int(same, 128, "something else behind it: the same verdict");
    is_int(taken, 16, "which is no");
}

static void test_memory(void)
{
    unsigned char file[16384];
    size_t n = small_file(file, sizeof(file));
    AUTO_BUF struct buf out = {0};
    struct err err = {0};
    AUTO_FD int fd = file_of(file, n);
    is_int(by_blocks(fd, 2, 100000, &out, &err), -ENOMEM, "memory is limited");
    ok(strstr(err.text, "MiB of memory") != NULL, "and the message says so");
}

int main(void)
{
    test_whole();
    test_damage();
    test_memory();
    return done_testing();
}
