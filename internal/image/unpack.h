// SPDX-License-Identifier: Apache-2.0
// A tarball into an empty directory. Runs inside bryo-unpack only, confined.
//
//   decoder thread -> ring of chunks -> this thread: tarscan, libarchive, tree -> writer threads
//
// This thread decides what every member means and makes the directories; decoding before it and
// writing behind it go on in parallel. Nothing is copied between decoding and write(2) but the
// pieces that libarchive has to put together.
#ifndef BRYO_IMAGE_UNPACK_H
#define BRYO_IMAGE_UNPACK_H

#include "internal/image/store.h"
#include "internal/job/idmap.h"

#include <stdbool.h>
#include <stdint.h>

struct err;
struct wire_progress;

struct unpack_job {
    int input_fd;
    int root_fd; // the destination: an open, empty directory
    int manifest_fd;
    struct image_limits limits;
    struct idmap uids; // in force; owners beyond them are given to 0
    struct idmap gids;
    bool layer;              // whiteouts are honoured; else their names are ordinary ones
    unsigned decoders;       // threads; 1 where liblzma's are not to be trusted
    unsigned writers;        // threads
    uint64_t decoder_memory; // bytes
    void (*progress)(void *ctx, const struct wire_progress *p); // from the decoder's thread
    void *progress_ctx;
};

// Fills *ret but for the digest. -EBADMSG: the tarball is refused; err says what is wrong with it
// and where.
int unpack_run(const struct unpack_job *job, struct unpack_stats *ret, struct err *err);

#endif
