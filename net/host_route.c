// SPDX-License-Identifier: Apache-2.0
#include "net/host_route.h"

#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

bool host_route_has_ipv6(int fd)
{
    // Documentation addresses (RFC 3849) are nobody's: a route to one is the default route.
    static const unsigned char anybody[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 1};
    char bytes[2048] __attribute__((aligned(8))) = {0};
    struct nlmsghdr *h = mnl_nlmsg_put_header(bytes);
    h->nlmsg_type = RTM_GETROUTE;
    h->nlmsg_flags = NLM_F_REQUEST;
    struct rtmsg *m = mnl_nlmsg_put_extra_header(h, sizeof(*m));
    m->rtm_family = AF_INET6;
    m->rtm_dst_len = 128;
    mnl_attr_put(h, RTA_DST, sizeof(anybody), anybody);
    if (send(fd, bytes, h->nlmsg_len, 0) < 0)
        return false;
    ssize_t n = recv(fd, bytes, sizeof(bytes), 0);
    if (n <= 0 || !mnl_nlmsg_ok(h, (int)n) || h->nlmsg_type != RTM_NEWROUTE ||
        h->nlmsg_len < MNL_NLMSG_HDRLEN + sizeof(*m))
        return false;
    m = mnl_nlmsg_get_payload(h);
    return m->rtm_type == RTN_UNICAST;
}
