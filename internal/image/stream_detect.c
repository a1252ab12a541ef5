// SPDX-License-Identifier: Apache-2.0
// What a file is, by its first bytes. Pure.
#include "internal/image/stream.h"

#include <string.h>

// Sums the header's bytes with its checksum field taken as blanks (POSIX ustar); signed as some old
// tar programs did.
bool stream_is_tar_header(const unsigned char *block)
{
    unsigned long want = 0;
    size_t i = 148;
    while (i < 156 && block[i] == ' ')
        i++;
    size_t digits = i;
    while (i < 156 && block[i] >= '0' && block[i] <= '7')
        want = want * 8 + (block[i++] - '0');
    if (i == digits || (i < 156 && block[i] != ' ' && block[i] != '\0'))
        return false;
    unsigned long sum = 0;
    long signed_sum = 0;
    for (i = 0; i < 512; i++) {
        unsigned char b = i >= 148 && i < 156 ? ' ' : block[i];
        sum += b;
        signed_sum += (signed char)b;
    }
    return sum == want || (signed_sum >= 0 && (unsigned long)signed_sum == want);
}

static bool all_zero(const unsigned char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (bytes[i])
            return false;
    return true;
}

struct magic {
    enum stream_format format;
    const char *what; // for STREAM_UNKNOWN
    size_t n;
    const char *bytes;
};

#define MAGIC(format, what, literal)               \
    {                                              \
        format, what, sizeof(literal) - 1, literal \
    }

static enum stream_format by_magic(const unsigned char *bytes, size_t n, const char **ret_what)
{
    static const struct magic table[] = {
        MAGIC(STREAM_XZ, NULL,
              "\xfd"
              "7zXZ\0"),
        MAGIC(STREAM_GZIP, NULL, "\x1f\x8b\x08"),
        MAGIC(STREAM_ZSTD, NULL, "\x28\xb5\x2f\xfd"),
        MAGIC(STREAM_UNKNOWN, "a zip archive", "PK\x03\x04"),
        MAGIC(STREAM_UNKNOWN, "an lzip file", "LZIP"),
        MAGIC(STREAM_UNKNOWN, "an old .lzma file", "\x5d\x00\x00"),
        MAGIC(STREAM_UNKNOWN, "an lz4 file", "\x04\x22\x4d\x18"),
        MAGIC(STREAM_UNKNOWN, "a compress (.Z) file", "\x1f\x9d"),
        MAGIC(STREAM_UNKNOWN, "a 7-Zip archive", "7z\xbc\xaf\x27\x1c"),
        MAGIC(STREAM_UNKNOWN, "a cpio archive", "07070"),
        MAGIC(STREAM_UNKNOWN, "a Debian package or ar archive", "!<arch>\n"),
        MAGIC(STREAM_UNKNOWN, "an RPM package", "\xed\xab\xee\xdb"),
        MAGIC(STREAM_UNKNOWN, "a SquashFS image", "hsqs"),
        MAGIC(STREAM_UNKNOWN, "a disk image (qcow2)", "QFI\xfb"),
        MAGIC(STREAM_UNKNOWN, "a program",
              "\x7f"
              "ELF"),
        MAGIC(STREAM_UNKNOWN, "an HTML page (a failed download?)", "<!DOCTYPE"),
        MAGIC(STREAM_UNKNOWN, "an HTML page (a failed download?)", "<!doctype"),
        MAGIC(STREAM_UNKNOWN, "an HTML page (a failed download?)", "<html"),
        MAGIC(STREAM_UNKNOWN, "a Git LFS pointer (git lfs pull fetches the file)",
              "version https://git-lfs"),
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        if (n >= table[i].n && memcmp(bytes, table[i].bytes, table[i].n) == 0) {
            *ret_what = table[i].what;
            return table[i].format;
        }
    }
    return STREAM_UNKNOWN;
}

// "BZh", the block size, and the first block's magic number or that of an empty stream's end.
static bool is_bzip2(const unsigned char *b, size_t n)
{
    return n >= 10 && memcmp(b, "BZh", 3) == 0 && b[3] >= '1' && b[3] <= '9' &&
           (memcmp(b + 4, "1AY&SY", 6) == 0 || memcmp(b + 4, "\x17\x72\x45\x38\x50\x90", 6) == 0);
}

enum stream_format stream_detect(const unsigned char *bytes, size_t n, const char **ret_what)
{
    const char *what = "neither a tar archive nor anything known";
    if (n == 0)
        what = "an empty file";
    enum stream_format f = by_magic(bytes, n, &what);
    // zstd allows a skippable frame first, as pzstd writes (RFC 8878, 3.1.2).
    if (f == STREAM_UNKNOWN && n >= 4 && (bytes[0] & 0xf0) == 0x50 && bytes[1] == 0x2a &&
        bytes[2] == 0x4d && bytes[3] == 0x18)
        f = STREAM_ZSTD;
    if (f == STREAM_UNKNOWN && is_bzip2(bytes, n))
        f = STREAM_BZIP2;
    // A member may be named "PK\3\4" or "hsqs": the checksum settles it.
    if (n >= STREAM_DETECT_SIZE && (stream_is_tar_header(bytes) || all_zero(bytes, 512)))
        f = STREAM_TAR;
    if (f == STREAM_UNKNOWN && ret_what)
        *ret_what = what;
    return f;
}

const char *stream_format_name(enum stream_format format)
{
    static const char *const names[] = {
        [STREAM_TAR] = "tar",      [STREAM_XZ] = "tar.xz",     [STREAM_GZIP] = "tar.gz",
        [STREAM_ZSTD] = "tar.zst", [STREAM_BZIP2] = "tar.bz2", [STREAM_UNKNOWN] = "unknown",
    };
    return names[format];
}
