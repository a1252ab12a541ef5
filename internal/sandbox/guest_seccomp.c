// SPDX-License-Identifier: Apache-2.0
#include "internal/sandbox/guest_seccomp.h"

#include "internal/base/raw.h"
#include "internal/sandbox/channel.h"
#include "internal/sandbox/guest_fault.h"
#include "internal/sandbox/sandbox.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdint.h>

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

static int load(const struct sandbox_seccomp *filter, uint32_t flags)
{
    // The kernel only reads it.
    struct sock_fprog prog = {.len = filter->n,
                              .filter = (struct sock_filter *)(uintptr_t)filter->insns};
    return (int)raw_syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, raw_address(&prog), 0, 0);
}

static int refused(int r, bool listener, struct guest_fault *fault)
{
    (void)guest_fault_note(fault, r, "cannot limit the job's system calls");
    if (r == -EBUSY)
        fault->hint = "a bryo outside of this one answers its job's system calls already "
                      "(--seccomp-log, --fake-root), and there can be only one";
    else if (r == -EINVAL && listener)
        fault->hint = "this kernel cannot hand system calls out (Linux 5.0)";
    else if (r == -ENOSYS || r == -EINVAL)
        fault->hint = "this kernel has no system call filters (CONFIG_SECCOMP_FILTER); --seccomp "
                      "unconfined goes without";
    return r;
}

static int without_front(const struct sandbox_seccomp *filter, int chan, struct guest_fault *fault)
{
    const struct channel_msg note = {
        .type = CHANNEL_NOTE,
        .err.text = "--fake-root is left to whoever started this bryo and answers for system calls "
                    "already (a bryo outside of it does)"};
    const struct sandbox_seccomp rest = {.insns = filter->insns + filter->n_front,
                                         .n = (unsigned short)(filter->n - filter->n_front)};
    int r = load(&rest, filter->flags);
    if (r < 0)
        return refused(r, false, fault);
    (void)channel_send(chan, &note, -1);
    return 0;
}

int guest_seccomp_install(const struct sandbox_seccomp *filter, int chan, struct guest_fault *fault)
{
    if (filter->n == 0)
        return 0;
    uint32_t flags = filter->flags;
    if (filter->listener)
        flags |= SECCOMP_FILTER_FLAG_NEW_LISTENER;
    // Linux 5.19: a caller whose call was read is only woken by a deadly signal, so that an answer
    // that has effects is not thrown away and the call made again.
    int r = filter->listener ? load(filter, flags | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV)
                             : load(filter, flags);
    if (r == -EINVAL && filter->listener)
        r = load(filter, flags);
    if (r == -EBUSY && filter->n_front)
        return without_front(filter, chan, fault);
    if (r < 0)
        return refused(r, filter->listener, fault);
    if (!filter->listener)
        return 0;
    int fd = r;
    const struct channel_msg msg = {.type = CHANNEL_DESCRIPTOR, .tag = CHANNEL_TAG_SECCOMP};
    r = channel_send(chan, &msg, fd);
    (void)raw_syscall(SYS_close, fd, 0, 0, 0, 0);
    return guest_fault_note(fault, r, "cannot hand out the filter's listener");
}
