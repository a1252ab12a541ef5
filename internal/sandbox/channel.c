// SPDX-License-Identifier: Apache-2.0
#include "internal/sandbox/channel.h"

#include "internal/base/cleanup.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

int channel_pair(int *ret_launcher, int *ret_inside)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return -errno;
    *ret_launcher = pair[0];
    *ret_inside = pair[1];
    return 0;
}

union control {
    struct cmsghdr align;
    char bytes[CMSG_SPACE(sizeof(int))];
};

int channel_send(int chan, const struct channel_msg *msg, int fd)
{
    struct iovec iov = {.iov_base = (void *)(uintptr_t)msg, .iov_len = sizeof(*msg)};
    struct msghdr hdr = {.msg_iov = &iov, .msg_iovlen = 1};
    union control control;
    if (fd >= 0) {
        hdr.msg_control = control.bytes;
        hdr.msg_controllen = sizeof(control.bytes);
        struct cmsghdr *c = CMSG_FIRSTHDR(&hdr);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(c), &fd, sizeof(int));
    }
    while (sendmsg(chan, &hdr, MSG_NOSIGNAL) < 0)
        if (errno != EINTR)
            return -errno;
    return 0;
}

int channel_recv(int chan, int flags, struct channel_msg *ret, int *ret_fd)
{
    union control control;
    struct iovec iov = {.iov_base = ret, .iov_len = sizeof(*ret)};
    struct msghdr hdr = {.msg_iov = &iov,
                         .msg_iovlen = 1,
                         .msg_control = control.bytes,
                         .msg_controllen = sizeof(control.bytes)};
    *ret_fd = -1;
    ssize_t n;
    while ((n = recvmsg(chan, &hdr, flags | MSG_CMSG_CLOEXEC)) < 0)
        if (errno != EINTR)
            return -errno;
    int fd = -1;
    struct cmsghdr *c = CMSG_FIRSTHDR(&hdr);
    if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS &&
        c->cmsg_len == CMSG_LEN(sizeof(int)))
        memcpy(&fd, CMSG_DATA(c), sizeof(int));
    if (n == 0)
        return -ECONNRESET;
    if ((size_t)n != sizeof(*ret) || (hdr.msg_flags & (MSG_TRUNC | MSG_CTRUNC))) {
        fd_closep(&fd);
        return -EPROTO;
    }
    // What comes from inside was a fork of ours when it wrote this; the texts are ended all the
    // same.
    ret->err.text[sizeof(ret->err.text) - 1] = '\0';
    ret->err.hint[sizeof(ret->err.hint) - 1] = '\0';
    *ret_fd = fd;
    return 0;
}
