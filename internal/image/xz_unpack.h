// SPDX-License-Identifier: Apache-2.0
// Decodes the blocks of an .xz file one after another, each in steps of the caller's size.
//
// What nearly every block is (LZMA2 alone, with a CRC or no check) by lzma2.h; what else there is
// (filters for machine code, SHA-256) by liblzma. Either way the sizes in the header, the padding
// and the check must be right.
#ifndef BRYO_IMAGE_XZ_UNPACK_H
#define BRYO_IMAGE_XZ_UNPACK_H

#include "internal/image/lzma2.h"
#include "internal/image/xz_scan.h"

#include <lzma.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define XZ_UNPACK_IN (128U << 10)

struct err;

struct xz_unpack {
    int fd; // read by pread(2)
    struct xz_block *block;
    uint64_t at;    // what is read next of the file
    uint64_t taken; // bytes read so far, of all blocks
    bool own;       // by lzma2.h
    // if so
    struct lzma2 *lzma2; // kept from one block to the next
    const uint8_t *next; // read and not yet decoded
    const uint8_t *end;
    uint64_t made; // bytes of the block
    uint64_t crc;
    // if not
    lzma_stream strm;
    uint8_t in[XZ_UNPACK_IN + LZMA2_IN_SLACK];
};

void xz_unpack_init(struct xz_unpack *u, int fd);
void xz_unpack_free_memory(struct xz_unpack *u); // what the last block needed

// The block stays the caller's; where its header has no sizes, it has them when it was decoded.
int xz_unpack_begin(struct xz_unpack *u, struct xz_block *b, struct err *err);

// 1: n bytes are at out, and more may come; 0: the block ended after *got of them; -errno.
int xz_unpack_some(struct xz_unpack *u, uint8_t *out, size_t n, size_t *got, struct err *err);

#endif
