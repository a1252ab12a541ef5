// SPDX-License-Identifier: Apache-2.0
// The bytes of the tar archive inside a tarball, whatever it is compressed with: known by content,
// decoded in this process, by the libraries, never by a program.
#ifndef BRYO_IMAGE_STREAM_H
#define BRYO_IMAGE_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct err;

enum stream_format {
    STREAM_TAR,
    STREAM_XZ,
    STREAM_GZIP,
    STREAM_ZSTD,
    STREAM_BZIP2,
    STREAM_UNKNOWN,
};

// How many of a file's first bytes stream_detect() wants to see; fewer only when the file is
// shorter.
#define STREAM_DETECT_SIZE 512

// Pure. For STREAM_UNKNOWN, *ret_what (unless NULL) says what the bytes look like: "a zip archive",
// "an HTML page", "an empty file", ...; never NULL then.
enum stream_format stream_detect(const unsigned char *bytes, size_t n, const char **ret_what);

// "tar", "tar.xz", "tar.gz", "tar.zst", "tar.bz2"
const char *stream_format_name(enum stream_format format);

// Whether the 512 bytes are a tar header by their checksum (both ways of summing that exist).
bool stream_is_tar_header(const unsigned char *block);

struct stream;

struct stream_opts {
    unsigned threads;      // for formats that can be decoded in parallel; >= 1
    uint64_t memory_limit; // bytes that a decoder may use; more is refused, with what it wants
};

// fd stays the caller's and must outlive the stream. -errno, with what is wrong and at which
// offset.
int stream_open(int fd, const struct stream_opts *opts, struct stream **ret, struct err *err);
void stream_close(struct stream *s); // NULL is fine

// Fills bytes as far as it can. Less than n (and 0) only at the end, which is reached only when the
// input was whole: all checksums right, nothing missing and nothing behind. -errno otherwise.
ssize_t stream_read(struct stream *s, void *bytes, size_t n, struct err *err);

enum stream_format stream_format_of(const struct stream *s);

// Bytes of the input that were taken so far; may be called by another thread than the reader.
uint64_t stream_input_offset(const struct stream *s);

#endif
