// SPDX-License-Identifier: Apache-2.0
// Takes given byte strings out of a stream: each run of bytes that they cover becomes "***",
// however the stream is cut into pieces. Pure.
//
// Aho and Corasick's automaton (Efficient String Matching, CACM 18, 1975): one step a byte, however
// many strings there are. What is held back at any moment is the longest end of the stream that one
// of the strings begins with, and nothing else.
#ifndef BRYO_JOB_MASKER_H
#define BRYO_JOB_MASKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct mask_node;

struct masker {
    struct mask_node *nodes; // 0 is the start
    size_t n;
    size_t cap;
    uint32_t first[256]; // where the start leads to
};

// Adds a string to be masked; n == 0 adds nothing. Not after masker_build().
void masker_add(struct masker *m, const void *bytes, size_t n);
void masker_build(struct masker *m); // once, before the first stream
void masker_done(struct masker *m);  // overwrites what it frees

// One stream. Zeroed, with m set, it is ready.
struct mask_stream {
    const struct masker *m;
    uint32_t state;
    bool in_mask; // the last that came out was "***", and may go on
    unsigned char *held;
    bool *hit; // of each held byte: it belongs to a string
    size_t head;
    size_t len; // held[head] to held[len - 1] are held back
    size_t cap;
};

void mask_feed(struct mask_stream *s, const void *bytes, size_t n, struct buf *out);

// Whether something is held back.
bool mask_holds(const struct mask_stream *s);

// Nothing came for a while: lets out what is held back and is no more than the beginning (at most
// half, and 8 bytes) of any string, so that a prompt shows. What comes next still completes it.
void mask_pause(struct mask_stream *s, struct buf *out);

// The stream is over. A longer beginning of a string comes out as "***".
void mask_end(struct mask_stream *s, struct buf *out);

void mask_stream_done(struct mask_stream *s);

#endif
