// SPDX-License-Identifier: Apache-2.0
#include "internal/sandbox/guest_netns.h"

#include "internal/base/raw.h"
#include "internal/sandbox/channel.h"

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

enum { TAKERS = 2 };

int guest_netns_prepare(struct guest_netns *ret)
{
    return channel_pair(&ret->maker, &ret->taker);
}

int guest_netns_make(void)
{
    return (int)raw_syscall(SYS_unshare, CLONE_NEWNET, 0, 0, 0, 0);
}

int guest_netns_give(const struct guest_netns *netns)
{
    static const char path[] = "/proc/self/ns/net";
    const struct channel_msg msg = {.type = CHANNEL_GO};
    int fd = (int)raw_syscall(SYS_openat, AT_FDCWD, raw_address(path), O_RDONLY | O_CLOEXEC, 0, 0);
    int r = fd < 0 ? fd : 0;
    for (int i = 0; i < TAKERS && r == 0; i++)
        r = channel_send(netns->maker, &msg, fd);
    return r;
}

void guest_netns_await(const struct guest_netns *netns)
{
    (void)close(netns->maker);
}

int guest_netns_enter(const struct guest_netns *netns)
{
    struct channel_msg msg;
    int fd;
    if (channel_recv(netns->taker, 0, &msg, &fd) < 0 || fd < 0)
        _exit(125);
    int r = (int)raw_syscall(SYS_setns, fd, CLONE_NEWNET, 0, 0, 0);
    (void)raw_syscall(SYS_close, fd, 0, 0, 0, 0);
    return r;
}

void guest_netns_done(const struct guest_netns *netns)
{
    (void)close(netns->taker);
}
