// SPDX-License-Identifier: Apache-2.0
// Compares a tree with its manifest. Runs inside bryo-unpack only, confined.
#ifndef BRYO_IMAGE_VERIFY_H
#define BRYO_IMAGE_VERIFY_H

#include <stdbool.h>
#include <stdint.h>

struct err;

struct verify_job {
    int root_fd;
    int manifest_fd;
    bool owners; // compare them; false where the maps are not those of the unpacking
    void (*bad)(void *ctx, const char *line); // one difference, safe to print
    void *bad_ctx;
};

// 0 whatever it finds; -errno when it could not look: -EBADMSG for a damaged manifest.
int verify_run(const struct verify_job *job, uint64_t *ret_checked, struct err *err);

#endif
