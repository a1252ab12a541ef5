// SPDX-License-Identifier: Apache-2.0
// The bytes of the tar archive inside a tarball, decoded by threads of its own ahead of the reader.
//
// An .xz file of several blocks is decoded by several threads, a block each, straight into the
// chunks that the reader gets; everything else by one thread. liblzma's own threaded decoder would
// copy each byte once more, and wake its caller for every 16 KiB of input; and versions that many
// machines still have must not be given a stranger's bytes (lzma_trust.h). What is in the blocks is
// decoded by lzma2.h, since that is four fifths of what an import computes.
#ifndef BRYO_IMAGE_DECODE_H
#define BRYO_IMAGE_DECODE_H

#include "internal/image/chunk.h"
#include "internal/image/stream.h"

#include <stdbool.h>
#include <stdint.h>

struct decode;
struct err;

struct decode_opts {
    int fd;           // a regular file, at offset 0; stays the caller's, and is read by offset
    unsigned threads; // at most
    // Bytes that one decoder may use. More than one run at a time only while together they need
    // less than half of it.
    uint64_t memory;
    // Called now and then, by one thread at a time; taken: bytes of the input so far.
    void (*tick)(void *ctx, uint64_t taken);
    void *tick_ctx;
};

int decode_start(const struct decode_opts *opts, struct decode **ret, struct err *err);

// The next chunk, with a reference for the caller; NULL: at the end, or decode_failure() says why
// not.
struct chunk *decode_next(struct decode *d);
bool decode_would_wait(struct decode *d); // whether decode_next() would
int decode_failure(struct decode *d, struct err *err);

enum stream_format decode_format(const struct decode *d);

void decode_stop(struct decode *d); // ends the threads; chunks stay
void decode_free(struct decode *d); // when nobody holds a chunk any more; NULL is fine

#endif
