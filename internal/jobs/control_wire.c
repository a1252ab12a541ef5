// SPDX-License-Identifier: Apache-2.0
#include "internal/jobs/control_wire.h"

#include "internal/base/cleanup.h"
#include "internal/base/counted.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

void control_exec_done(struct control_exec *e)
{
    strv_done(&e->argv);
    strv_done(&e->env);
    free(e->user);
    free(e->workdir);
    *e = (struct control_exec){0};
}

void control_exec_format(const struct control_exec *e, struct buf *out)
{
    counted_put(out, e->user ? e->user : "");
    counted_put(out, e->workdir ? e->workdir : "");
    counted_put_list(out, &e->argv);
    counted_put_list(out, &e->env);
}

int control_exec_parse(const char *text, struct control_exec *ret)
{
    AUTO_CONTROL_EXEC struct control_exec e = {0};
    if (!(e.user = counted_get(&text)) || !(e.workdir = counted_get(&text)) ||
        !counted_get_list(&text, CONTROL_MAX, &e.argv) ||
        !counted_get_list(&text, CONTROL_MAX, &e.env) || *text || e.argv.n == 0)
        return -EINVAL;
    *ret = e;
    // NOLINTNEXTLINE(clang-analyzer-deadcode.DeadStores): the cleanup reads it
    e = (struct control_exec){0};
    return 0;
}

union control {
    struct cmsghdr align;
    char bytes[CMSG_SPACE(CONTROL_FDS * sizeof(int))];
};

int control_send(int sock, int flags, const struct control_msg *msg, const char *text,
                 const int *fds, size_t n)
{
    union control control = {0};
    struct iovec iov[2] = {{(void *)(uintptr_t)msg, sizeof(*msg)},
                           {(void *)(uintptr_t)text, text ? strlen(text) : 0}};
    struct msghdr hdr = {.msg_iov = iov, .msg_iovlen = text ? 2 : 1};
    if (n) {
        hdr.msg_control = control.bytes;
        hdr.msg_controllen = CMSG_SPACE(n * sizeof(int));
        struct cmsghdr *c = CMSG_FIRSTHDR(&hdr);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(n * sizeof(int));
        memcpy(CMSG_DATA(c), fds, n * sizeof(int));
    }
    while (sendmsg(sock, &hdr, flags | MSG_NOSIGNAL) < 0)
        if (errno != EINTR)
            return -errno;
    return 0;
}

static void take_fds(struct msghdr *hdr, int *fds)
{
    struct cmsghdr *c = CMSG_FIRSTHDR(hdr);
    if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
        return;
    size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    memcpy(fds, CMSG_DATA(c), (n < CONTROL_FDS ? n : CONTROL_FDS) * sizeof(int));
}

int control_recv(int sock, int flags, struct control_msg *ret, struct buf *text, int *fds)
{
    union control control;
    AUTO_FREE char *rest = mem_alloc(CONTROL_MAX + 1);
    struct iovec iov[2] = {{ret, sizeof(*ret)}, {rest, CONTROL_MAX}};
    struct msghdr hdr = {.msg_iov = iov,
                         .msg_iovlen = 2,
                         .msg_control = control.bytes,
                         .msg_controllen = sizeof(control.bytes)};
    ssize_t n;
    for (int i = 0; i < CONTROL_FDS; i++)
        fds[i] = -1;
    while ((n = recvmsg(sock, &hdr, flags | MSG_CMSG_CLOEXEC)) < 0)
        if (errno != EINTR)
            return -errno;
    take_fds(&hdr, fds);
    if (n == 0)
        return -ECONNRESET;
    if ((size_t)n < sizeof(*ret) || (hdr.msg_flags & (MSG_TRUNC | MSG_CTRUNC))) {
        for (int i = 0; i < CONTROL_FDS; i++)
            fd_closep(&fds[i]);
        return -EPROTO;
    }
    ret->err.text[sizeof(ret->err.text) - 1] = '\0';
    ret->err.hint[sizeof(ret->err.hint) - 1] = '\0';
    if (text)
        buf_add(text, rest, strnlen(rest, (size_t)n - sizeof(*ret)));
    return 0;
}
