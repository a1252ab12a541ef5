// SPDX-License-Identifier: Apache-2.0
// What bryo-unpack tells the launcher: one struct a datagram over a socketpair(2) of type
// SOCK_SEQPACKET, and the numbers of the descriptors it finds open. Both ends are of one build.
#ifndef BRYO_IMAGE_UNPACK_WIRE_H
#define BRYO_IMAGE_UNPACK_WIRE_H

#include "internal/base/err.h"
#include "internal/image/pack.h"
#include "internal/image/store.h"

#include <stdint.h>

// bryo-unpack digest                          reads FD_INPUT, sends WIRE_DIGEST
// bryo-unpack unpack MAX_BYTES MAX_ENTRIES    FD_INPUT into FD_TREE, writes FD_MANIFEST
// bryo-unpack layer MAX_BYTES MAX_ENTRIES     the same, and whiteouts are honoured
// bryo-unpack pack FORMAT LEVEL [UID GID]     the scratch FD_TREE as a layer into FD_OUTPUT
// bryo-unpack repack FORMAT LEVEL             FD_INPUT once more into FD_OUTPUT
// bryo-unpack verify owners|no-owners         compares FD_TREE with FD_MANIFEST
enum unpack_fd {
    UNPACK_FD_REPORT = 3,
    UNPACK_FD_INPUT = 4,
    UNPACK_FD_TREE = 5,
    UNPACK_FD_MANIFEST = 6,
    UNPACK_FD_OUTPUT = 7
};

enum wire_kind {
    WIRE_PROGRESS = 1, // unpack, repack: now and then
    WIRE_DIGEST,       // digest: its last word
    WIRE_UNPACKED,     // unpack: its last word
    WIRE_BAD,          // verify: one difference
    WIRE_VERIFIED,     // verify: its last word
    WIRE_PACKED,       // pack: its last word
    WIRE_REPACKED,     // repack: its last word
    WIRE_FAILED,       // any: its last word
};

struct wire_progress {
    uint64_t in;
    uint64_t in_total;
    uint64_t out;
    uint64_t entries;
};

struct wire_record {
    enum wire_kind kind;
    union {
        struct wire_progress progress;
        char digest[65];
        struct unpack_stats stats; // without the digest: that is not this process's to say
        char line[900];            // safe to print
        uint64_t checked;
        struct pack_stats packed;
        struct repack_stats repacked;
        struct err failed;
    };
};

#endif
