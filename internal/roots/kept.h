// SPDX-License-Identifier: Apache-2.0
// Kept jobs: what they wrote, as a list and as a layer. Host side.
#ifndef BRYO_ROOTS_KEPT_H
#define BRYO_ROOTS_KEPT_H

#include <stddef.h>
#include <stdint.h>

struct err;

struct kept_change {
    char what;  // 'A' added, 'C' changed, 'D' deleted
    char *path; // absolute inside; any byte but NUL
};

// By path. The caller frees with kept_changes_free().
int kept_diff(const char *id, struct kept_change **ret, size_t *ret_n, struct err *err);
void kept_changes_free(struct kept_change *changes, size_t n);

struct kept_layer {
    uint64_t entries;
    uint64_t whiteouts;
    uint64_t left_out; // sockets and devices
    uint64_t bytes;    // unpacked
    uint64_t output_bytes;
};

// output: a path, or "-". format: "tar", "tar.gz", "tar.xz", "tar.zst"; NULL: as the path's name
// says, plain tar for "-".
int kept_commit(const char *id, const char *output, const char *format, struct kept_layer *ret,
                struct err *err);

struct repacked {
    uint64_t input_bytes;
    uint64_t output_bytes;
    uint64_t tar_bytes;
    uint64_t input_us; // to decode it
    uint64_t output_us;
    char input_format[16];
    char output_format[16];
};

// level: of the compression, 1 to 19 (9 where that is the most there is); 0: 19 for Zstandard,
// since it is written once and read by every cold start, and the usual one for others.
int kept_repack(const char *input, const char *output, const char *format, unsigned level,
                struct repacked *ret, struct err *err);

#endif
