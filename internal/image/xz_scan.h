// SPDX-License-Identifier: Apache-2.0
// Where the blocks of an .xz file are, so that several threads may decode them at once: reads what
// stands between them, strictly, and nothing that is compressed. Follows "The .xz File Format" 1.1;
// the parsing is liblzma's.
//
// Each byte of the file is looked at by somebody: headers, index, footer and padding here, and the
// rest by whoever decodes the block. What the blocks say of their sizes is compared with the index.
#ifndef BRYO_IMAGE_XZ_SCAN_H
#define BRYO_IMAGE_XZ_SCAN_H

#include <lzma.h>
#include <stdbool.h>
#include <stdint.h>

struct err;

struct xz_scan {
    int fd;        // read by pread(2)
    uint64_t size; // of the file
    uint64_t at;   // what is read next
    bool in_stream;
    unsigned streams; // read to their end
    lzma_stream_flags flags;
    lzma_index_hash *hash;
};

struct xz_block {
    lzma_block block; // its filters point below
    lzma_filter filters[LZMA_FILTERS_MAX + 1];
    uint64_t at;    // of the compressed data in the file
    uint64_t end;   // what belongs to the block ends here; of the file, while that is not known
    bool has_sizes; // its header has them, and the next block may be looked for at once
};

void xz_scan_init(struct xz_scan *s, int fd, uint64_t size);
void xz_scan_done(struct xz_scan *s);

// 1: *ret is the next block, to be freed with xz_block_done(); 0: the file ended as it should;
// -errno. A block without sizes has to be decoded first and noted.
int xz_scan_next(struct xz_scan *s, struct xz_block *ret, struct err *err);
int xz_scan_note(struct xz_scan *s, const struct xz_block *b, struct err *err);

void xz_block_done(struct xz_block *b);

// A failure of liblzma's in words. offset: in the file.
int xz_failed(lzma_ret r, uint64_t offset, struct err *err);

#endif
