// SPDX-License-Identifier: Apache-2.0
// What a decoder is for stream.c.
#ifndef BRYO_IMAGE_STREAM_PRIV_H
#define BRYO_IMAGE_STREAM_PRIV_H

#include "internal/image/stream.h"

struct span {
    unsigned char *at;
    size_t left;
};

struct decoder {
    const char *name;                              // of the format, for messages
    void *(*open)(const struct stream_opts *opts); // NULL: out of memory
    void (*close)(void *state);
    // Takes from *in and gives to *out what it can. last: the input ends with *in. Sets *ret_end
    // when the input ended where it may. offset: of in->at in the input, for messages.
    int (*code)(void *state, struct span *in, bool last, struct span *out, uint64_t offset,
                bool *ret_end, struct err *err);
};

extern const struct decoder decoder_xz;
extern const struct decoder decoder_gzip;
extern const struct decoder decoder_zstd;
extern const struct decoder decoder_bzip2;

// The messages that decoders share. Each returns -EBADMSG or the like.
int decoder_truncated(const char *name, uint64_t offset, struct err *err);
int decoder_corrupt(const char *name, uint64_t offset, const char *why, struct err *err);
int decoder_garbage(const char *name, uint64_t offset, struct err *err);
int decoder_too_big(const char *name, uint64_t want, uint64_t limit, struct err *err);

#endif
