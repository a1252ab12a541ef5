// SPDX-License-Identifier: Apache-2.0
// What a frame on its way to the job is about: libslirp made it, so it is looked at, not checked.
// Pure.
#ifndef BRYO_NET_FRAME_PEEK_H
#define BRYO_NET_FRAME_PEEK_H

#include "net/flow.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct frame_peek {
    bool is_flow;        // TCP, UDP or an echo reply, no fragment: the rest is filled in
    struct flow_key key; // as of the job's own frames: src is the job
    uint8_t tcp_flags;
    size_t payload_len;
};

// false: it is not to reach the job at all (router advertisements).
bool frame_peek(const uint8_t *bytes, size_t len, struct frame_peek *ret);

#endif
