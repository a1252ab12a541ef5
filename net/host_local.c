// SPDX-License-Identifier: Apache-2.0
#include "net/host_local.h"

#include "internal/base/err.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

struct question {
    struct nlmsghdr head;
    struct rtmsg route;
    struct rtattr attr;
    uint8_t addr[16];
};

int host_local_open(struct err *err)
{
    struct sockaddr_nl self = {.nl_family = AF_NETLINK};
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (fd < 0)
        return err_sys(err, errno, "cannot open a netlink socket");
    if (bind(fd, (struct sockaddr *)&self, sizeof(self)) < 0) {
        int r = err_sys(err, errno, "cannot bind a netlink socket");
        (void)close(fd);
        return r;
    }
    return fd;
}

static int ask(int fd, const struct ip_addr *a, uint32_t seq)
{
    size_t n = a->family == IP_V4 ? 4 : 16;
    struct question q = {
        .head = {.nlmsg_len = (uint32_t)(NLMSG_LENGTH(sizeof(q.route)) + RTA_LENGTH(n)),
                 .nlmsg_type = RTM_GETROUTE,
                 .nlmsg_flags = NLM_F_REQUEST,
                 .nlmsg_seq = seq},
        .route = {.rtm_family = a->family == IP_V4 ? AF_INET : AF_INET6,
                  .rtm_dst_len = (unsigned char)(n * 8)},
        .attr = {.rta_type = RTA_DST, .rta_len = (unsigned short)RTA_LENGTH(n)},
    };
    memcpy(q.addr, a->bytes, n);
    return send(fd, &q, q.head.nlmsg_len, 0) < 0 ? -errno : 0;
}

bool host_local_is(int fd, const struct ip_addr *a)
{
    union {
        struct nlmsghdr head;
        char bytes[2048];
    } answer;
    // Tells the answer from one to an earlier question that was given up.
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    uint32_t seq = (uint32_t)now.tv_nsec ^ (uint32_t)now.tv_sec << 30;
    if (ask(fd, a, seq) < 0)
        return true;
    do {
        // The kernel has answered when sendto(2) returns.
        ssize_t n = recv(fd, &answer, sizeof(answer), MSG_DONTWAIT);
        if (n < (ssize_t)NLMSG_LENGTH(sizeof(struct rtmsg)))
            return true;
    } while (answer.head.nlmsg_seq != seq);
    if (answer.head.nlmsg_type == NLMSG_ERROR) {
        // As long as a struct rtmsg and longer: the request is repeated behind the number.
        const struct nlmsgerr *e = NLMSG_DATA(&answer.head);
        return e->error != -ENETUNREACH && e->error != -EHOSTUNREACH && e->error != -EACCES;
    }
    const struct rtmsg *route = NLMSG_DATA(&answer.head);
    return answer.head.nlmsg_type != RTM_NEWROUTE || route->rtm_type == RTN_LOCAL ||
           route->rtm_type == RTN_BROADCAST || route->rtm_type == RTN_ANYCAST ||
           route->rtm_type == RTN_MULTICAST;
}
