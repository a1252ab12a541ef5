// SPDX-License-Identifier: Apache-2.0
// A further command of a running job, as the launcher hands it to PID 1: one block of bytes, laid
// out so that PID 1 maps it and uses it where it lies, without allocating anything.
#ifndef BRYO_SANDBOX_EXEC_WIRE_H
#define BRYO_SANDBOX_EXEC_WIRE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>

struct buf;

// Followed by argc + 1 and envc + 1 pointers and n_groups ids; then the strings. In the block as it
// is sent a pointer is an offset from its start; the ends of the lists are 0.
struct exec_wire {
    uint64_t argc;
    uint64_t envc;
    uint64_t n_groups;
    uint64_t workdir; // offset
    uint64_t path;    // offset; 0: the job's own
    uint32_t uid;
    uint32_t gid;
    uint32_t tty;
    struct winsize winsize;
};

struct exec_request {
    char *const *argv;
    char *const *envp;
    const char *workdir; // absolute
    const char *path;    // PATH of envp; may be NULL
    uint32_t uid;
    uint32_t gid;
    const uint32_t *groups;
    size_t n_groups;
    int tty;
    struct winsize winsize;
};

// Pure.
void exec_wire_pack(const struct exec_request *request, struct buf *out);

// Puts pointers in the place of the offsets. block: of n bytes, writable, aligned for a uint64_t.
// Strict: 0, or -EINVAL for what exec_wire_pack() does not write. *ret points into the block.
int exec_wire_unpack(void *block, size_t n, struct exec_request *ret);

#endif
