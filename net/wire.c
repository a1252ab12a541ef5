// SPDX-License-Identifier: Apache-2.0
// Messages on the control socket, and descriptors on the others.
#include "net/wire.h"

#include "internal/base/buf.h"
#include "internal/base/cleanup.h"
#include "net/netconfig.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

int net_msg_send(int fd, enum net_msg type, const void *bytes, size_t n)
{
    uint32_t word = type;
    struct iovec iov[2] = {{&word, sizeof(word)}, {(void *)(uintptr_t)bytes, n}};
    struct msghdr hdr = {.msg_iov = iov, .msg_iovlen = n ? 2 : 1};
    while (sendmsg(fd, &hdr, MSG_NOSIGNAL) < 0)
        if (errno != EINTR)
            return -errno;
    return 0;
}

int net_msg_recv(int fd, int flags, enum net_msg *type, struct buf *body)
{
    uint32_t word = 0;
    buf_clear(body);
    char *room = buf_reserve(body, NET_MSG_MAX);
    struct iovec iov[2] = {{&word, sizeof(word)}, {room, NET_MSG_MAX}};
    struct msghdr hdr = {.msg_iov = iov, .msg_iovlen = 2};
    ssize_t n;
    while ((n = recvmsg(fd, &hdr, flags | MSG_CMSG_CLOEXEC)) < 0)
        if (errno != EINTR)
            return -errno;
    if (n == 0)
        return -ECONNRESET;
    if ((size_t)n < sizeof(word) || (hdr.msg_flags & MSG_TRUNC))
        return -EPROTO;
    *type = word;
    body->len = (size_t)n - sizeof(word);
    room[body->len] = '\0';
    return 0;
}

union control {
    struct cmsghdr align;
    char bytes[CMSG_SPACE(sizeof(int) * NET_FDS_MAX)];
};

int net_fds_send(int fd, const void *bytes, size_t n, const int *fds, size_t n_fds)
{
    union control control = {0};
    struct iovec iov = {(void *)(uintptr_t)bytes, n};
    struct msghdr hdr = {.msg_iov = &iov, .msg_iovlen = 1};
    if (n_fds > NET_FDS_MAX)
        return -EINVAL;
    if (n_fds) {
        hdr.msg_control = control.bytes;
        hdr.msg_controllen = CMSG_SPACE(sizeof(int) * n_fds);
        struct cmsghdr *c = CMSG_FIRSTHDR(&hdr);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof(int) * n_fds);
        memcpy(CMSG_DATA(c), fds, sizeof(int) * n_fds);
    }
    while (sendmsg(fd, &hdr, MSG_NOSIGNAL) < 0)
        if (errno != EINTR)
            return -errno;
    return 0;
}

ssize_t net_fds_recv(int fd, int flags, void *bytes, size_t n, int *fds, size_t *n_fds)
{
    union control control;
    struct iovec iov = {bytes, n};
    struct msghdr hdr = {.msg_iov = &iov,
                         .msg_iovlen = 1,
                         .msg_control = control.bytes,
                         .msg_controllen = sizeof(control.bytes)};
    size_t most = *n_fds;
    int got[NET_FDS_MAX];
    size_t have = 0;
    ssize_t r;
    *n_fds = 0;
    while ((r = recvmsg(fd, &hdr, flags | MSG_CMSG_CLOEXEC)) < 0)
        if (errno != EINTR)
            return -errno;
    struct cmsghdr *c = CMSG_FIRSTHDR(&hdr);
    if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS) {
        have = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        memcpy(got, CMSG_DATA(c), have * sizeof(int));
    }
    bool bad = r == 0 || (hdr.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) || have > most;
    for (size_t i = 0; bad && i < have; i++)
        fd_closep(&got[i]);
    if (bad)
        return r == 0 ? -ECONNRESET : -EPROTO;
    if (have > 0)
        memcpy(fds, got, have * sizeof(int));
    *n_fds = have;
    return r;
}
