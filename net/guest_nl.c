// SPDX-License-Identifier: Apache-2.0
#include "net/guest_nl.h"

#include "internal/base/cleanup.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <string.h>
#include <sys/socket.h>

static void end_last(struct guest_nl *nl)
{
    // The last message grew by its attributes after it was started.
    size_t at = 0;
    while (at < nl->len) {
        const struct nlmsghdr *msg = (const void *)(nl->bytes + at);
        at += MNL_ALIGN(msg->nlmsg_len);
    }
    nl->len = at;
}

struct nlmsghdr *guest_nl_put(struct guest_nl *nl, uint16_t type, uint16_t flags, size_t extra)
{
    end_last(nl);
    struct nlmsghdr *msg = mnl_nlmsg_put_header(nl->bytes + nl->len);
    msg->nlmsg_type = type;
    msg->nlmsg_flags = NLM_F_REQUEST | flags;
    msg->nlmsg_seq = ++nl->seq;
    (void)mnl_nlmsg_put_extra_header(msg, extra);
    if (flags & NLM_F_ACK)
        nl->n_acks++;
    nl->len += MNL_ALIGN(msg->nlmsg_len);
    return msg;
}

void *guest_nl_extra(struct nlmsghdr *msg)
{
    return mnl_nlmsg_get_payload(msg);
}

// How many answers stand in the datagram, or the error that one of them carries.
static int count_acks(const char *bytes, size_t n)
{
    int acks = 0;
    int left = (int)n;
    for (const struct nlmsghdr *msg = (const void *)bytes; mnl_nlmsg_ok(msg, left);
         msg = mnl_nlmsg_next(msg, &left)) {
        if (msg->nlmsg_type != NLMSG_ERROR || mnl_nlmsg_get_payload_len(msg) < sizeof(int))
            continue;
        const struct nlmsgerr *answer = mnl_nlmsg_get_payload(msg);
        if (answer->error)
            return answer->error;
        acks++;
    }
    return acks;
}

int guest_nl_talk(struct guest_nl *nl, int protocol)
{
    AUTO_FD int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
    if (fd < 0)
        return -errno;
    end_last(nl);
    if (send(fd, nl->bytes, nl->len, 0) < 0)
        return -errno;
    _Alignas(8) char answer[8192];
    for (unsigned acks = 0; acks < nl->n_acks;) {
        ssize_t n = recv(fd, answer, sizeof(answer), 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        int r = count_acks(answer, (size_t)n);
        if (r < 0)
            return r;
        acks += (unsigned)r;
    }
    return 0;
}
