// SPDX-License-Identifier: Apache-2.0
// Writing tarballs: what a job wrote as an OCI layer, and a tarball once more with another
// compression. Runs inside bryo-unpack only, confined.
#ifndef BRYO_IMAGE_PACK_H
#define BRYO_IMAGE_PACK_H

#include "internal/image/pack_format.h"

#include <stdbool.h>
#include <stdint.h>

struct archive;
struct err;
struct wire_progress;

struct pack_output {
    int fd;
    enum pack_format format;
    int level;        // of the compression; 0: the library's default
    unsigned threads; // for formats that are compressed in parallel
};

struct pack_job {
    int scratch_fd; // of a kept job
    struct pack_output output;
    bool one_owner; // all belong to uid and gid, whatever the namespace calls the one id it has
    uint32_t uid;
    uint32_t gid;
};

struct pack_stats {
    uint64_t entries;      // members written, whiteouts among them
    uint64_t whiteouts;    // and opaque directories
    uint64_t left_out;     // sockets and devices: a tarball has none, or bryo unpacks none
    uint64_t bytes;        // apparent sizes of the files
    uint64_t output_bytes; // of the tarball
};

int pack_run(const struct pack_job *job, struct pack_stats *ret, struct err *err);

struct repack_stats {
    uint64_t input_bytes;
    uint64_t output_bytes;
    uint64_t tar_bytes;
    uint64_t input_us; // to decode the input, without writing it anywhere
    uint64_t output_us;
    char format[16]; // of the input
};

// The same tar archive, byte for byte, in another compression. input_fd: at offset 0, seekable;
// output->fd: open for reading too. Both are decoded as an import does, for the times. progress
// is called now and then while it compresses.
struct repack_job {
    int input_fd;
    unsigned decoders;
    uint64_t decoder_memory;
    struct pack_output output;
    void (*progress)(void *ctx, const struct wire_progress *p);
    void *progress_ctx;
};

int repack_run(const struct repack_job *job, struct repack_stats *ret, struct err *err);

// An archive that writes to output->fd, its filter set and its format not. NULL with err.
struct archive *pack_open_filter(const struct pack_output *output, struct err *err);
int pack_failed(struct archive *a, struct err *err); // what libarchive says; returns -errno

#endif
