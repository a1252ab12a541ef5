// SPDX-License-Identifier: Apache-2.0
#include "net/guest_rtnl.h"

#include "internal/base/cleanup.h"
#include "internal/base/err.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>

static size_t addr_len(const struct ip_addr *a)
{
    return a->family == IP_V4 ? 4 : 16;
}

static uint8_t af_of(const struct ip_addr *a)
{
    return a->family == IP_V4 ? AF_INET : AF_INET6;
}

// Lengths are known only when the next one begins.
static void close_last(struct guest_rtnl *r)
{
    if (r->n) {
        struct nlmsghdr *last = (struct nlmsghdr *)(void *)(r->bytes + r->len);
        r->len += NLMSG_ALIGN(last->nlmsg_len);
    }
}

struct nlmsghdr *guest_rtnl_add(struct guest_rtnl *r, const char *what, uint16_t type,
                                uint16_t flags)
{
    close_last(r);
    struct nlmsghdr *h = mnl_nlmsg_put_header(r->bytes + r->len);
    h->nlmsg_type = type;
    h->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
    r->what[r->n++] = what;
    h->nlmsg_seq = r->n;
    return h;
}

void guest_rtnl_link_up(struct guest_rtnl *r, const char *what, int index)
{
    struct nlmsghdr *h = guest_rtnl_add(r, what, RTM_NEWLINK, 0);
    struct ifinfomsg *i = mnl_nlmsg_put_extra_header(h, sizeof(*i));
    i->ifi_index = index;
    i->ifi_flags = i->ifi_change = IFF_UP;
}

// Two requests: of one, the kernel takes the flags first, and makes up an address at that moment.
void guest_rtnl_tap_up(struct guest_rtnl *r, int index, uint32_t mtu, const uint8_t *mac, bool ipv6)
{
    struct nlmsghdr *h = guest_rtnl_add(r, "configure the job's interface", RTM_NEWLINK, 0);
    struct ifinfomsg *i = mnl_nlmsg_put_extra_header(h, sizeof(*i));
    i->ifi_index = index;
    mnl_attr_put_u32(h, IFLA_MTU, mtu);
    mnl_attr_put(h, IFLA_ADDRESS, 6, mac);
    if (ipv6) {
        struct nlattr *spec = mnl_attr_nest_start(h, IFLA_AF_SPEC);
        struct nlattr *inet6 = mnl_attr_nest_start(h, AF_INET6);
        mnl_attr_put_u8(h, IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE);
        mnl_attr_nest_end(h, inet6);
        mnl_attr_nest_end(h, spec);
    }
    guest_rtnl_link_up(r, "bring the job's interface up", index);
}

void guest_rtnl_address(struct guest_rtnl *r, int index, const struct ip_addr *a, uint8_t prefix)
{
    struct nlmsghdr *h = guest_rtnl_add(r, "give the job's interface its address", RTM_NEWADDR,
                                        NLM_F_CREATE | NLM_F_EXCL);
    struct ifaddrmsg *m = mnl_nlmsg_put_extra_header(h, sizeof(*m));
    m->ifa_family = af_of(a);
    m->ifa_prefixlen = prefix;
    m->ifa_index = (unsigned)index;
    m->ifa_flags = a->family == IP_V6 ? IFA_F_NODAD : 0; // nobody else can have it
    mnl_attr_put(h, IFA_LOCAL, addr_len(a), a->bytes);
    mnl_attr_put(h, IFA_ADDRESS, addr_len(a), a->bytes);
}

void guest_rtnl_default_route(struct guest_rtnl *r, int index, const struct ip_addr *gateway)
{
    struct nlmsghdr *h =
        guest_rtnl_add(r, "set the job's default route", RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL);
    struct rtmsg *m = mnl_nlmsg_put_extra_header(h, sizeof(*m));
    m->rtm_family = af_of(gateway);
    m->rtm_table = RT_TABLE_MAIN;
    m->rtm_protocol = RTPROT_STATIC;
    m->rtm_scope = RT_SCOPE_UNIVERSE;
    m->rtm_type = RTN_UNICAST;
    mnl_attr_put(h, RTA_GATEWAY, addr_len(gateway), gateway->bytes);
    mnl_attr_put_u32(h, RTA_OIF, (uint32_t)index);
}

void guest_rtnl_neighbour(struct guest_rtnl *r, int index, const struct ip_addr *a,
                          const uint8_t *mac)
{
    struct nlmsghdr *h = guest_rtnl_add(r, "tell the job its gateway's hardware address",
                                        RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE);
    struct ndmsg *m = mnl_nlmsg_put_extra_header(h, sizeof(*m));
    m->ndm_family = af_of(a);
    m->ndm_ifindex = index;
    m->ndm_state = NUD_PERMANENT;
    mnl_attr_put(h, NDA_DST, addr_len(a), a->bytes);
    mnl_attr_put(h, NDA_LLADDR, 6, mac);
}

static int hear(const struct guest_rtnl *r, int fd, struct err *err)
{
    char answer[4096] __attribute__((aligned(8)));
    for (;;) {
        ssize_t n = recv(fd, answer, sizeof(answer), 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return err_sys(err, n < 0 ? errno : EPROTO, "cannot hear of the kernel's network");
        int left = (int)n;
        const struct nlmsghdr *h = (const void *)answer;
        for (; mnl_nlmsg_ok(h, left); h = mnl_nlmsg_next(h, &left)) {
            const struct nlmsgerr *e = mnl_nlmsg_get_payload(h);
            if (h->nlmsg_type != NLMSG_ERROR)
                continue;
            unsigned seq = h->nlmsg_seq;
            if (e->error)
                return err_sys(err, -e->error, "cannot %s",
                               seq >= 1 && seq <= r->n ? r->what[seq - 1] : "set up the network");
            if (seq == r->n)
                return 0;
        }
    }
}

int guest_rtnl_commit(struct guest_rtnl *r, struct err *err)
{
    struct nlmsghdr *last = (struct nlmsghdr *)(void *)(r->bytes + r->len);
    last->nlmsg_flags |= NLM_F_ACK;
    close_last(r);
    AUTO_FD int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (fd < 0 || send(fd, r->bytes, r->len, 0) < 0)
        return err_sys(err, errno, "cannot speak to the kernel's network");
    return hear(r, fd, err);
}
