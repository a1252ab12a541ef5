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

// What is decoded by liblzma (a filter for machine code, SHA-256), and what is not; each is
// believed no more than its check.
static void test_filters(void)
{
    static const struct {
        const char *what;
        lzma_vli filter;
        lzma_check check;
    } cases[] = {
        {"LZMA2 without a check", LZMA_VLI_UNKNOWN, LZMA_CHECK_NONE},
        {"LZMA2 with CRC32", LZMA_VLI_UNKNOWN, LZMA_CHECK_CRC32},
        {"LZMA2 with CRC64", LZMA_VLI_UNKNOWN, LZMA_CHECK_CRC64},
        {"LZMA2 with SHA-256", LZMA_VLI_UNKNOWN, LZMA_CHECK_SHA256},
        {"x86 and LZMA2", LZMA_FILTER_X86, LZMA_CHECK_CRC64},
    };
    unsigned char plain[3000];
    unsigned char file[16384];
    fill(plain, sizeof(plain));
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        lzma_options_lzma o;
        lzma_filter filters[3] = {{LZMA_FILTER_LZMA2, &o}, {LZMA_VLI_UNKNOWN, NULL}};
        if (cases[i].filter != LZMA_VLI_UNKNOWN) {
            filters[1] = filters[0];
            filters[0] = (lzma_filter){cases[i].filter, NULL};
            filters[2].id = LZMA_VLI_UNKNOWN;
        }
        size_t n = 0;
        if (lzma_lzma_preset(&o, 1) ||
            lzma_stream_buffer_encode(filters, cases[i].check, NULL, plain, sizeof(plain), file, &n,
                                      sizeof(file)) != LZMA_OK)
            abort();
        unsigned taken = 0;
        ok(agree(file, n, 2, &taken) && taken == 1, "%s", cases[i].what);
        size_t of_check = lzma_check_size(cases[i].check);
        if (of_check == 0)
            continue;
        // The check is what ends the block, and the index with its CRC and the footer are behind
        // it.
        lzma_stream_flags flags;
        if (lzma_stream_footer_decode(&flags, file + n - LZMA_STREAM_HEADER_SIZE) != LZMA_OK)
            abort();
        size_t check = n - LZMA_STREAM_HEADER_SIZE - (size_t)flags.backward_size - of_check;
        unsigned same = 0;
        taken = 0;
        for (size_t at = check; at < check + of_check; at++) {
            file[at] ^= 1;
            same += agree(file, n, 2, &taken);
            file[at] ^= 1;
        }
        ok(same == of_check && taken == 0, "and no byte of its check may be another");
    }
}

// A file of one block, whose header and index say so much more of its sizes than is true; padding
// behind the data fills what is said to be compressed.
static size_t lying_file(unsigned more_in, int more_out, unsigned char *to, size_t room)
{
    unsigned char plain[3000];
    fill(plain, sizeof(plain));
    lzma_options_lzma o;
    lzma_filter filters[] = {{LZMA_FILTER_LZMA2, &o}, {LZMA_VLI_UNKNOWN, NULL}};
    lzma_stream_flags flags = {.check = LZMA_CHECK_CRC32};
    lzma_block block = {.check = flags.check, .filters = filters};
    size_t n = LZMA_STREAM_HEADER_SIZE;
    size_t at = 0;
    unsigned char data[8192] = {0};
    bool good = !lzma_lzma_preset(&o, 1) && lzma_stream_header_encode(&flags, to) == LZMA_OK &&
                lzma_raw_buffer_encode(filters, NULL, plain, sizeof(plain), data, &at,
                                       sizeof(data)) == LZMA_OK;
    block.compressed_size = at + more_in;
    block.uncompressed_size = sizeof(plain) + (size_t)more_out;
    good = good && lzma_block_header_size(&block) == LZMA_OK &&
           lzma_block_header_encode(&block, to + n) == LZMA_OK;
    n += block.header_size;
    size_t padded = (at + more_in + 3) / 4 * 4;
    memcpy(to + n, data, padded);
    n += padded;
    uint32_t crc = lzma_crc32(plain, sizeof(plain), 0);
    for (unsigned i = 0; i < 4; i++)
        to[n++] = (unsigned char)(crc >> 8 * i);
    lzma_index *index = lzma_index_init(NULL);
    good = good && lzma_index_append(index, NULL, lzma_block_unpadded_size(&block),
                                     block.uncompressed_size) == LZMA_OK;
    flags.backward_size = lzma_index_size(index);
    good = good && lzma_index_buffer_encode(index, to, &n, room) == LZMA_OK &&
           lzma_stream_footer_encode(&flags, to + n) == LZMA_OK;
    lzma_index_end(index, NULL);
    if (!good)
        abort();
    return n + LZMA_STREAM_HEADER_SIZE;
}

static void test_lies(void)
{
    static const struct {
        unsigned in;
        int out;
    } cases[] = {{0, 0}, {0, 1}, {0, -1}, {0, -2000}, {0, 1 << 20}, {1, 0}, {4, 0}, {64, 0}};
    unsigned char file[16384];
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        unsigned taken = 0;
        size_t n = lying_file(cases[i].in, cases[i].out, file, sizeof(file));
        ok(agree(file, n, 2, &taken) && taken == (i == 0),
           "headers that say %u more of what is compressed, and %d of what is not", cases[i].in,
           cases[i].out);
    }
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
    test_filters();
    test_lies();
    test_memory();
    return done_testing();
}
