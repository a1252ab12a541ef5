// SPDX-License-Identifier: Apache-2.0
// What a file is by its first bytes; the decoders, whole and cut off; which liblzma may use
// threads.
#include "internal/base/buf.h"
#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/image/lzma_trust.h"
#include "internal/image/stream.h"
#include "tests/unit/tap.h"

#include <lzma.h>
#include <sys/mman.h>
#include <zlib.h>

static enum stream_format detect(const char *bytes, size_t n)
{
    const char *what = "";
    return stream_detect((const unsigned char *)bytes, n, &what);
}

#define DETECT(literal) detect(literal, sizeof(literal) - 1)

static void test_detect(void)
{
    const char *what = NULL;
    is_int(DETECT("\xfd"
                  "7zXZ\0rest"),
           STREAM_XZ, "xz");
    is_int(DETECT("\x1f\x8b\x08rest"), STREAM_GZIP, "gzip");
    is_int(DETECT("\x28\xb5\x2f\xfdrest"), STREAM_ZSTD, "zstd");
    is_int(DETECT("\x5a\x2a\x4d\x18rest"), STREAM_ZSTD, "zstd that begins with a skippable frame");
    is_int(DETECT("BZh91AY&SYrest"), STREAM_BZIP2, "bzip2");
    is_int(DETECT("BZh9 hello"), STREAM_UNKNOWN, "a text that begins like bzip2");
    is_int(DETECT("\xfd"
                  "7zX"),
           STREAM_UNKNOWN, "xz cut off in its magic");
    is_int(stream_detect((const unsigned char *)"", 0, &what), STREAM_UNKNOWN, "nothing");
    is_str(what, "an empty file", "is called so");
    (void)stream_detect((const unsigned char *)"PK\x03\x04", 4, &what);
    is_str(what, "a zip archive", "zip is named");
    unsigned char block[512] = {0};
    is_int(stream_detect(block, 512, &what), STREAM_TAR, "a block of zeros is an empty archive");
    // NOLINTBEGIN(bugprone-not-null-terminated-result): fields of a header
    memcpy(block, "PK\x03\x04", 4);
    memcpy(block + 148, "0000000\0", 8);
    // NOLINTEND(bugprone-not-null-terminated-result)
    unsigned sum = 0;
    for (int i = 0; i < 512; i++)
        sum += i >= 148 && i < 156 ? ' ' : block[i];
    (void)snprintf((char *)block + 148, 8, "%06o", sum);
    is_int(stream_detect(block, 512, &what), STREAM_TAR,
           "a checksum outweighs a name like a magic");
    block[200] ^= 1;
    is_int(stream_detect(block, 512, &what), STREAM_UNKNOWN, "a wrong one does not");
}

static int file_of(const void *bytes, size_t n)
{
    int fd = memfd_create("input", MFD_CLOEXEC);
    if (fd < 0 || write(fd, bytes, n) != (ssize_t)n || lseek(fd, 0, SEEK_SET) != 0)
        abort();
    return fd;
}

// The decoded bytes, or -errno with err.
static ssize_t decode(const void *bytes, size_t n, unsigned threads, uint64_t memory,
                      struct buf *out, struct err *err)
{
    AUTO_FD int fd = file_of(bytes, n);
    struct stream *s = NULL;
    struct stream_opts opts = {threads, memory};
    int r = stream_open(fd, &opts, &s, err);
    ssize_t got = r;
    while (r == 0 && (got = stream_read(s, buf_reserve(out, 70000), 70000, err)) > 0) {
        out->len += (size_t)got;
        if (got < 70000)
            break;
    }
    stream_close(s);
    return got < 0 ? got : (ssize_t)out->len;
}

#define PLAIN_SIZE (3U << 20)

static void test_decode(void)
{
    AUTO_FREE unsigned char *plain = mem_alloc(PLAIN_SIZE);
    AUTO_FREE unsigned char *packed = mem_alloc(PLAIN_SIZE + 65536);
    for (size_t i = 0; i < PLAIN_SIZE; i++)
        plain[i] = (unsigned char)(i * i >> 7);
    lzma_mt mt = {.threads = 2, .block_size = 1U << 20, .preset = 1, .check = LZMA_CHECK_CRC64};
    lzma_stream strm = LZMA_STREAM_INIT;
    ok(lzma_stream_encoder_mt(&strm, &mt) == LZMA_OK, "an .xz of three blocks is made");
    strm.next_in = plain;
    strm.avail_in = PLAIN_SIZE;
    strm.next_out = packed;
    strm.avail_out = PLAIN_SIZE + 65536;
    ok(lzma_code(&strm, LZMA_FINISH) == LZMA_STREAM_END, "to its end");
    size_t size = strm.total_out;
    lzma_end(&strm);
    for (unsigned threads = 1; threads <= 3; threads++) {
        AUTO_BUF struct buf out = {0};
        struct err err = {0};
        is_int(decode(packed, size, threads, 64U << 20, &out, &err), PLAIN_SIZE,
               "decoded by %u threads", threads);
        ok(out.len == PLAIN_SIZE && memcmp(out.data, plain, PLAIN_SIZE) == 0, "to the same bytes");
    }
    unsigned refused = 0;
    for (size_t cut = size - 1; cut > size - 200; cut--) {
        AUTO_BUF struct buf out = {0};
        struct err err = {0};
        refused += decode(packed, cut, 2, 64U << 20, &out, &err) == -EBADMSG;
    }
    is_int(refused, 199, "its index and footer may not be cut off anywhere");
    AUTO_BUF struct buf out = {0};
    struct err err = {0};
    is_int(decode(packed, size, 1, 100000, &out, &err), -ENOMEM, "memory is limited");
    ok(strstr(err.text, "MiB of memory") != NULL, "and the message says so");
}

static void test_gzip_members(void)
{
    unsigned char packed[4096];
    size_t at = 0;
    for (int i = 0; i < 3; i++) {
        z_stream z = {0};
        char text[1024];
        memset(text, 'a' + i, sizeof(text));
        (void)deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
        z.next_in = (unsigned char *)text;
        z.avail_in = sizeof(text);
        z.next_out = packed + at;
        z.avail_out = (uInt)(sizeof(packed) - at);
        (void)deflate(&z, Z_FINISH);
        at += z.total_out;
        (void)deflateEnd(&z);
    }
    AUTO_BUF struct buf out = {0};
    AUTO_BUF struct buf more = {0};
    struct err err = {0};
    is_int(decode(packed, at, 1, 1U << 20, &out, &err), 3 * 1024,
           "three gzip members are one file");
    packed[at] = 'x';
    is_int(decode(packed, at + 1, 1, 1U << 20, &more, &err), -EBADMSG,
           "and nothing else behind them");
    ok(strstr(err.text, "behind the end") != NULL, "which is said");
}

static void test_trust(void)
{
    char version[64];
    static const char status[] =
        "Package: liblzma5\nStatus: deinstall ok config-files\nVersion: 1\n\n"
        "Package: liblzma5-dev\nStatus: install ok installed\nVersion: 2\n\n"
        "Package: liblzma5\nStatus: install ok installed\nSource: xz-utils\nVersion: 5.4.1-1\n";
    ok(lzma_threads_safe(50080012, NULL), "5.8.1 has the repair");
    ok(!lzma_threads_safe(50080002, NULL), "5.8.0 has not");
    ok(lzma_threads_safe(50020052, NULL), "5.2.5 never had the fault");
    ok(!lzma_threads_safe(50040012, NULL), "5.4.1 of an unknown maker has");
    ok(!lzma_threads_safe(50040012, "5.4.1-0.2"), "Debian's 5.4.1-0.2 too");
    ok(lzma_threads_safe(50040012, "5.4.1-1"), "Debian's 5.4.1-1 was repaired");
    ok(lzma_threads_safe(50040012, "5.4.1-1+deb12u2"), "and its updates");
    ok(!lzma_threads_safe(50040052, "5.6.1+really5.4.5-1ubuntu0.1"), "Ubuntu 24.04 before");
    ok(lzma_threads_safe(50040052, "5.6.1+really5.4.5-1ubuntu0.2"), "and after");
    ok(lzma_dpkg_version(status, "liblzma5", version, sizeof(version)), "dpkg's database is read");
    is_str(version, "5.4.1-1", "for the package that is installed");
    ok(!lzma_dpkg_version(status, "liblzma", version, sizeof(version)), "by its whole name");
}

int main(void)
{
    test_detect();
    test_decode();
    test_gzip_members();
    test_trust();
    return done_testing();
}
