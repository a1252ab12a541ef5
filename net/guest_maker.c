// SPDX-License-Identifier: Apache-2.0
#include "internal/base/cleanup.h"
#include "net/guest_fast.h"
#include "net/guest_tproxy.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

// One datagram of up to MAKER_BATCH sockets; 0 sockets when the kernel gives none.
static int send_sockets(int sock, unsigned char family, const int *fds, size_t n)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(MAKER_BATCH * sizeof(int))];
    } control = {.bytes = {0}};
    struct iovec iov = {.iov_base = &family, .iov_len = 1};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
    if (n > 0) {
        msg.msg_control = control.bytes;
        msg.msg_controllen = CMSG_SPACE(n * sizeof(int));
        struct cmsghdr *head = CMSG_FIRSTHDR(&msg);
        head->cmsg_level = SOL_SOCKET;
        head->cmsg_type = SCM_RIGHTS;
        head->cmsg_len = CMSG_LEN(n * sizeof(int));
        memcpy(CMSG_DATA(head), fds, n * sizeof(int));
    }
    ssize_t r;
    do
        r = sendmsg(sock, &msg, MSG_NOSIGNAL);
    while (r < 0 && errno == EINTR);
    return r < 0 ? -errno : 0;
}

static int serve(int sock, unsigned char family)
{
    int fds[MAKER_BATCH];
    size_t n = 0;
    while (n < MAKER_BATCH && (fds[n] = guest_tproxy_socket(family)) >= 0)
        n++;
    int r = send_sockets(sock, family, fds, n);
    while (n > 0)
        (void)close(fds[--n]);
    return r;
}

int guest_maker_main(int sock)
{
    for (;;) {
        unsigned char family = 0;
        ssize_t n = recv(sock, &family, 1, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : 0;
        if (family != AF_INET && family != AF_INET6)
            return -EPROTO;
        int r = serve(sock, family);
        if (r < 0)
            return r;
    }
}
