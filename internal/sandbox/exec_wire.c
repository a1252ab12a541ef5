// SPDX-License-Identifier: Apache-2.0
#include "internal/sandbox/exec_wire.h"

#include "internal/base/buf.h"

#include <errno.h>
#include <string.h>

static size_t count(char *const *list)
{
    size_t n = 0;
    while (list && list[n])
        n++;
    return n;
}

static uint64_t place(struct buf *strings, uint64_t base, const char *s)
{
    uint64_t at = base + strings->len;
    buf_add(strings, s, strlen(s) + 1);
    return at;
}

void exec_wire_pack(const struct exec_request *q, struct buf *out)
{
    AUTO_BUF struct buf strings = {0};
    struct exec_wire head = {.argc = count(q->argv),
                             .envc = count(q->envp),
                             .n_groups = q->n_groups,
                             .uid = q->uid,
                             .gid = q->gid,
                             .tty = q->tty != 0,
                             .winsize = q->winsize};
    uint64_t base = sizeof(head) + (head.argc + head.envc + 2) * sizeof(uint64_t) +
                    head.n_groups * sizeof(uint32_t);
    const uint64_t end = 0;
    head.workdir = place(&strings, base, q->workdir);
    head.path = q->path ? place(&strings, base, q->path) : 0;
    buf_add(out, &head, sizeof(head));
    char *const *lists[] = {q->argv, q->envp};
    for (int l = 0; l < 2; l++) {
        for (size_t i = 0; lists[l] && lists[l][i]; i++) {
            uint64_t at = place(&strings, base, lists[l][i]);
            buf_add(out, &at, sizeof(at));
        }
        buf_add(out, &end, sizeof(end));
    }
    if (q->n_groups)
        buf_add(out, q->groups, q->n_groups * sizeof(uint32_t));
    buf_add(out, strings.data, strings.len);
}

// A string that lies within the block: its last byte is a NUL, so each that begins in it ends in
// it.
static char *string_at(char *block, size_t n, uint64_t base, uint64_t offset)
{
    return offset >= base && offset < n ? block + offset : NULL;
}

static int fix(char *block, size_t n, uint64_t base, uint64_t *slots, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        char *s = string_at(block, n, base, slots[i]);
        if (!s)
            return -EINVAL;
        slots[i] = (uint64_t)(uintptr_t)s;
    }
    return slots[count] == 0 ? 0 : -EINVAL;
}

int exec_wire_unpack(void *bytes, size_t n, struct exec_request *ret)
{
    char *block = bytes;
    struct exec_wire *head = bytes;
    _Static_assert(sizeof(char *) == sizeof(uint64_t), "the slots become pointers");
    if (n <= sizeof(*head) || block[n - 1] != '\0' || head->argc == 0 || head->argc > n ||
        head->envc > n || head->n_groups > n)
        return -EINVAL;
    uint64_t base = sizeof(*head) + (head->argc + head->envc + 2) * sizeof(uint64_t) +
                    head->n_groups * sizeof(uint32_t);
    uint64_t *slots = (uint64_t *)(void *)(block + sizeof(*head));
    if (base >= n || fix(block, n, base, slots, head->argc) < 0 ||
        fix(block, n, base, slots + head->argc + 1, head->envc) < 0)
        return -EINVAL;
    *ret = (struct exec_request){
        .argv = (char *const *)(void *)slots,
        .envp = (char *const *)(void *)(slots + head->argc + 1),
        .workdir = string_at(block, n, base, head->workdir),
        .path = head->path ? string_at(block, n, base, head->path) : NULL,
        .uid = head->uid,
        .gid = head->gid,
        .groups = (const uint32_t *)(const void *)(slots + head->argc + head->envc + 2),
        .n_groups = head->n_groups,
        .tty = (int)head->tty,
        .winsize = head->winsize,
    };
    return ret->workdir && (!head->path || ret->path) ? 0 : -EINVAL;
}
