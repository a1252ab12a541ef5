// SPDX-License-Identifier: Apache-2.0
#include "net/pcapng.h"

#include "internal/base/buf.h"

#include <string.h>

enum { BLOCK_SECTION = 0x0a0d0d0a, BLOCK_INTERFACE = 1, BLOCK_PACKET = 6 };
enum { OPT_END = 0, OPT_APPL = 4, OPT_IF_NAME = 2, OPT_IF_TSRESOL = 9, OPT_EPB_FLAGS = 2 };
enum { LINKTYPE_ETHERNET = 1, SNAPLEN = 262144 };
enum { INBOUND = 1, OUTBOUND = 2 };

// The byte order is the writer's own; the section says which that is.
static void put16(struct buf *out, unsigned v)
{
    uint16_t x = (uint16_t)v;
    buf_add(out, &x, sizeof(x));
}

static void put32(struct buf *out, uint32_t v)
{
    buf_add(out, &v, sizeof(v));
}

static void put_padded(struct buf *out, const void *bytes, size_t n)
{
    static const char zeros[4];
    buf_add(out, bytes, n);
    buf_add(out, zeros, (4 - n % 4) % 4);
}

static void put_option(struct buf *out, unsigned code, const void *bytes, size_t n)
{
    put16(out, code);
    put16(out, (unsigned)n);
    put_padded(out, bytes, n);
}

static size_t begin(struct buf *out, uint32_t type)
{
    size_t at = out->len;
    put32(out, type);
    put32(out, 0);
    return at;
}

// The length stands at both ends of a block.
static void end(struct buf *out, size_t at)
{
    uint32_t len = (uint32_t)(out->len - at + 4);
    put32(out, len);
    memcpy(out->data + at + 4, &len, sizeof(len));
}

void pcapng_head(struct buf *out, const char *interface)
{
    static const uint8_t nanoseconds = 9; // 10^-9
    static const uint64_t unknown_length = UINT64_MAX;
    size_t at = begin(out, BLOCK_SECTION);
    put32(out, 0x1a2b3c4d);
    put16(out, 1);
    put16(out, 0);
    buf_add(out, &unknown_length, sizeof(unknown_length));
    put_option(out, OPT_APPL, "bryo", 4);
    put_option(out, OPT_END, NULL, 0);
    end(out, at);
    at = begin(out, BLOCK_INTERFACE);
    put16(out, LINKTYPE_ETHERNET);
    put16(out, 0);
    put32(out, SNAPLEN);
    put_option(out, OPT_IF_NAME, interface, strlen(interface));
    put_option(out, OPT_IF_TSRESOL, &nanoseconds, 1);
    put_option(out, OPT_END, NULL, 0);
    end(out, at);
}

void pcapng_packet(struct buf *out, uint64_t time_ns, bool in, const void *frame, size_t len)
{
    const uint32_t flags = in ? INBOUND : OUTBOUND;
    size_t kept = len < SNAPLEN ? len : SNAPLEN;
    size_t at = begin(out, BLOCK_PACKET);
    put32(out, 0); // the interface
    put32(out, (uint32_t)(time_ns >> 32));
    put32(out, (uint32_t)time_ns);
    put32(out, (uint32_t)kept);
    put32(out, (uint32_t)len);
    put_padded(out, frame, kept);
    put_option(out, OPT_EPB_FLAGS, &flags, sizeof(flags));
    put_option(out, OPT_END, NULL, 0);
    end(out, at);
}
