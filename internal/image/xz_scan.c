// SPDX-License-Identifier: Apache-2.0
#include "internal/image/xz_scan.h"

#include "internal/base/err.h"
#include "internal/image/stream_priv.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define PIECE 4096U

void xz_scan_init(struct xz_scan *s, int fd, uint64_t size)
{
    *s = (struct xz_scan){.fd = fd, .size = size};
}

void xz_scan_done(struct xz_scan *s)
{
    lzma_index_hash_end(s->hash, NULL);
    s->hash = NULL;
}

void xz_block_done(struct xz_block *b)
{
    lzma_filters_free(b->filters, NULL);
}

int xz_failed(lzma_ret r, uint64_t offset, struct err *err)
{
    switch (r) {
    case LZMA_FORMAT_ERROR: // behind the first stream
        return decoder_garbage("xz", offset, err);
    case LZMA_OPTIONS_ERROR:
        return decoder_corrupt("xz", offset, "it uses options that liblzma does not know", err);
    case LZMA_UNSUPPORTED_CHECK:
        return decoder_corrupt("xz", offset, "its checksum is of a type that liblzma cannot verify",
                               err);
    case LZMA_BUF_ERROR:
        return decoder_truncated("xz", offset, err);
    case LZMA_MEM_ERROR:
        return err_sys(err, ENOMEM, "cannot decode the xz data");
    default:
        return decoder_corrupt("xz", offset, "a checksum or a length is wrong", err);
    }
}

// Up to n bytes, fewer only at the end of the file.
static int read_some(const struct xz_scan *s, unsigned char *bytes, size_t n, size_t *ret,
                     struct err *err)
{
    *ret = 0;
    while (*ret < n) {
        ssize_t got = pread(s->fd, bytes + *ret, n - *ret, (off_t)(s->at + *ret));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return err_sys(err, errno, "cannot read the tarball at byte %llu",
                           (unsigned long long)s->at);
        if (got == 0)
            break;
        *ret += (size_t)got;
    }
    return 0;
}

// The stream padding: zeros, as many as a multiple of four.
static int skip_padding(struct xz_scan *s, struct err *err)
{
    unsigned char bytes[PIECE];
    size_t n;
    do {
        int r = read_some(s, bytes, sizeof(bytes), &n, err);
        if (r < 0)
            return r;
        size_t zeros = 0;
        while (zeros < n && bytes[zeros] == 0)
            zeros++;
        s->at += zeros;
        if (zeros < n)
            break;
    } while (n == sizeof(bytes));
    // Streams and their padding have lengths that four divides, so their places tell.
    return s->at % 4 == 0 ? 0 : xz_failed(n == 0 ? LZMA_DATA_ERROR : LZMA_FORMAT_ERROR, s->at, err);
}

static int read_header(struct xz_scan *s, struct err *err)
{
    unsigned char bytes[LZMA_STREAM_HEADER_SIZE];
    size_t n;
    int r = read_some(s, bytes, sizeof(bytes), &n, err);
    if (r < 0)
        return r;
    lzma_ret x = LZMA_OK;
    if (n < sizeof(bytes))
        x = s->streams ? LZMA_FORMAT_ERROR : LZMA_BUF_ERROR;
    else
        x = lzma_stream_header_decode(&s->flags, bytes);
    if (x == LZMA_OK && !lzma_check_is_supported(s->flags.check))
        x = LZMA_UNSUPPORTED_CHECK;
    if (x != LZMA_OK)
        return xz_failed(x, x == LZMA_BUF_ERROR ? s->size : s->at, err);
    lzma_index_hash *hash = lzma_index_hash_init(s->hash, NULL);
    if (!hash)
        return xz_failed(LZMA_MEM_ERROR, s->at, err);
    s->hash = hash;
    s->at += sizeof(bytes);
    s->in_stream = true;
    return 0;
}

static int read_index(struct xz_scan *s, struct err *err)
{
    unsigned char bytes[PIECE];
    for (;;) {
        size_t n;
        size_t pos = 0;
        int r = read_some(s, bytes, sizeof(bytes), &n, err);
        if (r < 0)
            return r;
        if (n == 0)
            return xz_failed(LZMA_BUF_ERROR, s->at, err);
        lzma_ret x = lzma_index_hash_decode(s->hash, bytes, &pos, n);
        s->at += pos;
        if (x == LZMA_STREAM_END)
            return 0;
        if (x != LZMA_OK)
            return xz_failed(x, s->at, err);
    }
}

static int read_footer(struct xz_scan *s, struct err *err)
{
    unsigned char bytes[LZMA_STREAM_HEADER_SIZE];
    lzma_stream_flags flags;
    size_t n;
    int r = read_some(s, bytes, sizeof(bytes), &n, err);
    if (r < 0)
        return r;
    lzma_ret x = n < sizeof(bytes) ? LZMA_BUF_ERROR : lzma_stream_footer_decode(&flags, bytes);
    if (x == LZMA_FORMAT_ERROR)
        x = LZMA_DATA_ERROR; // no footer, where one has to be
    if (x == LZMA_OK)
        x = lzma_stream_flags_compare(&s->flags, &flags);
    if (x == LZMA_OK && flags.backward_size != lzma_index_hash_size(s->hash))
        x = LZMA_DATA_ERROR;
    if (x != LZMA_OK)
        return xz_failed(x, x == LZMA_BUF_ERROR ? s->size : s->at, err);
    s->at += sizeof(bytes);
    s->in_stream = false;
    s->streams++;
    return 0;
}

static int append(struct xz_scan *s, const struct xz_block *b, struct err *err)
{
    lzma_vli total = lzma_block_total_size(&b->block);
    lzma_ret x = total == 0 || total == LZMA_VLI_UNKNOWN
                     ? LZMA_DATA_ERROR
                     : lzma_index_hash_append(s->hash, lzma_block_unpadded_size(&b->block),
                                              b->block.uncompressed_size);
    if (x != LZMA_OK)
        return xz_failed(x, s->at, err);
    if (total > s->size - s->at)
        return xz_failed(LZMA_BUF_ERROR, s->size, err);
    s->at += total;
    return 0;
}

int xz_scan_note(struct xz_scan *s, const struct xz_block *b, struct err *err)
{
    return append(s, b, err);
}

// n bytes were read at s->at, with the header among them.
static int read_block(struct xz_scan *s, const unsigned char *bytes, size_t n, struct xz_block *b,
                      struct err *err)
{
    memset(b, 0, sizeof(*b));
    b->block.version = 1;
    b->block.check = s->flags.check;
    b->block.filters = b->filters;
    b->block.header_size = lzma_block_header_size_decode(bytes[0]);
    b->filters[0].id = LZMA_VLI_UNKNOWN;
    if (n < b->block.header_size)
        return xz_failed(LZMA_BUF_ERROR, s->size, err);
    lzma_ret x = lzma_block_header_decode(&b->block, NULL, bytes);
    if (x != LZMA_OK)
        return xz_failed(x, s->at, err);
    b->at = s->at + b->block.header_size;
    b->end = s->size;
    b->has_sizes = b->block.compressed_size != LZMA_VLI_UNKNOWN &&
                   b->block.uncompressed_size != LZMA_VLI_UNKNOWN;
    int r = b->has_sizes ? append(s, b, err) : 0;
    if (r < 0)
        xz_block_done(b);
    else if (b->has_sizes)
        b->end = s->at;
    return r < 0 ? r : 1;
}

int xz_scan_next(struct xz_scan *s, struct xz_block *ret, struct err *err)
{
    unsigned char bytes[LZMA_BLOCK_HEADER_SIZE_MAX];
    for (;;) {
        int r = 0;
        size_t n = 0;
        if (!s->in_stream) {
            r = s->streams ? skip_padding(s, err) : 0;
            if (r == 0 && s->streams && s->at == s->size)
                return 0;
            if (r == 0)
                r = read_header(s, err);
        } else {
            r = read_some(s, bytes, sizeof(bytes), &n, err);
            if (r == 0 && n == 0)
                r = xz_failed(LZMA_BUF_ERROR, s->size, err);
            if (r == 0 && bytes[0] != 0)
                return read_block(s, bytes, n, ret, err);
            if (r == 0)
                r = read_index(s, err);
            if (r == 0)
                r = read_footer(s, err);
        }
        if (r < 0)
            return r;
    }
}
