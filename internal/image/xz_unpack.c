// SPDX-License-Identifier: Apache-2.0
// Follows "The .xz File Format" 1.1, section 3 (Block).
#include "internal/image/xz_unpack.h"

#include "internal/base/err.h"
#include "internal/image/crc64.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

_Static_assert(XZ_UNPACK_IN >= LZMA2_IN_MAX, "a chunk is there as a whole");

void xz_unpack_init(struct xz_unpack *u, int fd)
{
    memset(u, 0, sizeof(*u));
    u->fd = fd;
    u->strm = (lzma_stream)LZMA_STREAM_INIT;
}

void xz_unpack_free_memory(struct xz_unpack *u)
{
    lzma_end(&u->strm);
    lzma2_free(u->lzma2);
    u->lzma2 = NULL;
}

// Reads to the end of u->in, behind its first n bytes. *got 0: the block, or the file, has no more.
static int refill(struct xz_unpack *u, size_t n, size_t *got, struct err *err)
{
    uint64_t left = u->block->end - u->at;
    size_t room = XZ_UNPACK_IN - n;
    ssize_t r;
    while ((r = pread(u->fd, u->in + n, left < room ? left : room, (off_t)u->at)) < 0)
        if (errno != EINTR)
            return err_sys(err, errno, "cannot read the tarball at byte %llu",
                           (unsigned long long)u->at);
    u->at += (uint64_t)r;
    u->taken += (uint64_t)r;
    *got = (size_t)r;
    return 0;
}

// --- by lzma2.h -------------------------------------------------------------------------------

static bool is_ours(const struct xz_block *b)
{
    lzma_check check = b->block.check;
    return b->filters[0].id == LZMA_FILTER_LZMA2 && b->filters[1].id == LZMA_VLI_UNKNOWN &&
           (check == LZMA_CHECK_NONE || check == LZMA_CHECK_CRC32 || check == LZMA_CHECK_CRC64);
}

static size_t not_decoded(const struct xz_unpack *u)
{
    return (size_t)(u->end - u->next);
}

static int wrong(const struct xz_unpack *u, lzma_ret r, struct err *err)
{
    return xz_failed(r, u->at - not_decoded(u), err);
}

static int begin_ours(struct xz_unpack *u, struct err *err)
{
    const struct xz_block *b = u->block;
    const lzma_options_lzma *o = b->filters[0].options;
    // No distance reaches beyond what there is.
    uint64_t window = o->dict_size;
    if (b->block.uncompressed_size < window)
        window = b->block.uncompressed_size;
    if (!u->lzma2)
        u->lzma2 = lzma2_new();
    if (!u->lzma2 || !lzma2_begin(u->lzma2, (uint32_t)window))
        return xz_failed(LZMA_MEM_ERROR, b->at, err);
    u->next = u->end = u->in;
    u->made = 0;
    u->crc = 0;
    return 0;
}

static int more(struct xz_unpack *u, struct err *err)
{
    size_t n = not_decoded(u);
    size_t got = 0;
    memmove(u->in, u->next, n);
    u->next = u->in;
    u->end = u->in + n;
    int r = refill(u, n, &got, err);
    if (r < 0)
        return r;
    u->end += got;
    if (got > 0)
        return 0;
    return wrong(u, u->block->has_sizes ? LZMA_DATA_ERROR : LZMA_BUF_ERROR, err);
}

static int take_byte(struct xz_unpack *u, uint8_t *ret, struct err *err)
{
    int r = u->next == u->end ? more(u, err) : 0;
    if (r == 0)
        *ret = *u->next++;
    return r;
}

static bool agrees(lzma_vli *size, uint64_t is)
{
    bool good = *size == LZMA_VLI_UNKNOWN || *size == is;
    *size = is;
    return good;
}

// Behind the end marker: zeros up to a multiple of four, and the check.
static int end_ours(struct xz_unpack *u, struct err *err)
{
    lzma_block *b = &u->block->block;
    uint64_t size = u->at - not_decoded(u) - u->block->at;
    if (!agrees(&b->compressed_size, size) || !agrees(&b->uncompressed_size, u->made))
        return wrong(u, LZMA_DATA_ERROR, err);
    uint8_t byte = 0;
    int r;
    for (; size % 4 != 0; size++) {
        if ((r = take_byte(u, &byte, err)) < 0)
            return r;
        if (byte != 0)
            return wrong(u, LZMA_DATA_ERROR, err);
    }
    for (unsigned i = 0; i < lzma_check_size(b->check); i++) {
        if ((r = take_byte(u, &byte, err)) < 0)
            return r;
        if (byte != (uint8_t)(u->crc >> 8 * i))
            return wrong(u, LZMA_DATA_ERROR, err);
    }
    return 0;
}

static void check(struct xz_unpack *u, const uint8_t *bytes, size_t n)
{
    if (u->block->block.check == LZMA_CHECK_CRC64)
        u->crc = crc64_add(u->crc, bytes, n);
    else if (u->block->block.check == LZMA_CHECK_CRC32)
        u->crc = lzma_crc32(bytes, n, (uint32_t)u->crc);
    u->made += n;
}

static int ours(struct xz_unpack *u, uint8_t *out, size_t n, size_t *got, struct err *err)
{
    uint8_t *at = out;
    enum lzma2_result x;
    while ((x = lzma2_decode(u->lzma2, &u->next, u->end, &at, out + n)) == LZMA2_INPUT) {
        int r = more(u, err);
        if (r < 0)
            return r;
    }
    if (x == LZMA2_WRONG)
        return wrong(u, LZMA_DATA_ERROR, err);
    *got = (size_t)(at - out);
    check(u, out, *got);
    if (u->made > u->block->block.uncompressed_size)
        return wrong(u, LZMA_DATA_ERROR, err);
    return x == LZMA2_END ? end_ours(u, err) : 1;
}

// --- by liblzma -------------------------------------------------------------------------------

static int theirs(struct xz_unpack *u, uint8_t *out, size_t n, size_t *got, struct err *err)
{
    u->strm.next_out = out;
    u->strm.avail_out = n;
    lzma_ret x = LZMA_OK;
    while (x == LZMA_OK && u->strm.avail_out > 0) {
        if (u->strm.avail_in == 0 && u->at < u->block->end) {
            int r = refill(u, 0, &u->strm.avail_in, err);
            if (r < 0)
                return r;
            u->strm.next_in = u->in;
        }
        x = lzma_code(&u->strm, LZMA_RUN);
        if (x == LZMA_BUF_ERROR && u->block->has_sizes)
            x = LZMA_DATA_ERROR; // the block is longer than its header says
    }
    *got = n - u->strm.avail_out;
    if (x == LZMA_OK || x == LZMA_STREAM_END)
        return x == LZMA_OK;
    return xz_failed(x, u->at - u->strm.avail_in, err);
}

// ----------------------------------------------------------------------------------------------

int xz_unpack_begin(struct xz_unpack *u, struct xz_block *b, struct err *err)
{
    u->block = b;
    u->at = b->at;
    u->own = is_ours(b);
    if (u->own)
        return begin_ours(u, err);
    u->strm.avail_in = 0;
    lzma_ret x = lzma_block_decoder(&u->strm, &b->block);
    return x == LZMA_OK ? 0 : xz_failed(x, b->at, err);
}

int xz_unpack_some(struct xz_unpack *u, uint8_t *out, size_t n, size_t *got, struct err *err)
{
    return u->own ? ours(u, out, n, got, err) : theirs(u, out, n, got, err);
}
