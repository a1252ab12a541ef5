// SPDX-License-Identifier: Apache-2.0
// Puts the fragments of IP packets together (RFC 791, RFC 8200 section 4.5), so that nothing behind
// this ever sees one. Pure; the clock is the caller's.
//
// Strict where attacks live: fragments that overlap (RFC 5722) or disagree about the end give up
// the whole packet. Bounded: REASS_PACKETS at a time, the oldest goes when one more begins; each
// has REASS_PATIENCE_US.
#ifndef BRYO_NET_REASS_H
#define BRYO_NET_REASS_H

#include "net/frame.h"

#include <stddef.h>
#include <stdint.h>

#define REASS_PACKETS     16
#define REASS_PATIENCE_US UINT64_C(5000000) // both ends are in one machine

struct reass;

struct reass *reass_new(void);
void reass_free(struct reass *r); // NULL is fine

// f: of FRAME_FRAGMENT. Returns the length of the whole frame and in *ret where it is (valid until
// the next call; may be written to), as the job would have sent it if its MTU had allowed; or 0
// while something is missing. The result is for frame_parse(): it is as little trusted as others.
size_t reass_add(struct reass *r, const struct frame *f, uint64_t now_us, uint8_t **ret);

#endif
