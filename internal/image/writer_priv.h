// SPDX-License-Identifier: Apache-2.0
// One writer's work, apart from threads and queues.
#ifndef BRYO_IMAGE_WRITER_PRIV_H
#define BRYO_IMAGE_WRITER_PRIV_H

#include "internal/base/buf.h"
#include "internal/image/writer.h"

struct writer_state {
    struct buf manifest;
    _Atomic uint64_t bytes; // written
    uint64_t skipped_xattrs;
    // the file that further pieces belong to
    int fd;       // -1: none
    uint64_t at;  // its position
    uint64_t crc; // of what is before that
};

void writer_state_init(struct writer_state *st);
void writer_state_done(struct writer_state *st);

// Does the task; the caller frees it.
int writer_do(struct writer_state *st, struct task *t, struct err *err);

// Sets the attributes on fd, counting those that the file system does not take.
int writer_set_xattrs(int fd, const struct xattr *x, uint64_t *skipped);

#endif
