// SPDX-License-Identifier: Apache-2.0
#include "internal/run/net_ports.h"

#include "internal/base/buf.h"
#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/base/log.h"
#include "net/ipsock.h"
#include "net/netconfig.h"

#include <errno.h>
#include <string.h>

enum { BACKLOG = 4096 }; // cut by net.core.somaxconn

// A port that is free for IPv4 may not be for IPv6: another one is tried.
enum { CHOICES = 32 };

static const struct ip_addr any4 = {.family = IP_V4};
static const struct ip_addr any6 = {.family = IP_V6};

// port 0: *ret_port is the one that the kernel chose.
static int bind_one(const struct ip_addr *addr, uint16_t port, bool udp, uint16_t *ret_port)
{
    const int on = 1;
    union ipsock at;
    socklen_t n = ipsock_set(&at, addr, port);
    AUTO_FD int fd =
        socket(at.sa.sa_family, (udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    // A run right after another one finds the port in TIME_WAIT.
    if (!udp && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0)
        return -errno;
    if (addr->family == IP_V6 && setsockopt(fd, SOL_IPV6, IPV6_V6ONLY, &on, sizeof(on)) < 0)
        return -errno;
    if (bind(fd, &at.sa, n) < 0 || (!udp && listen(fd, BACKLOG) < 0))
        return -errno;
    if (getsockname(fd, &at.sa, &n) < 0)
        return -errno;
    (void)ipsock_addr(&at, ret_port);
    return TAKE_FD(fd);
}

static int refuse(const struct ip_addr *addr, uint16_t port, bool udp, int num, struct err *err)
{
    char text[IP_TEXT_MAX];
    bool v6 = addr->family == IP_V6;
    (void)err_sys(err, num, "cannot publish %s port %s%s%s:%u", udp ? "UDP" : "TCP", v6 ? "[" : "",
                  ip_format(addr, text), v6 ? "]" : "", port);
    if (num == EADDRINUSE)
        return err_hint(err, "give another port, or 0 to have a free one chosen and printed");
    if (num == EACCES)
        return err_hint(err,
                        "give a port from 1024 on, or as root: sysctl -w "
                        "net.ipv4.ip_unprivileged_port_start=%u",
                        port);
    if (num == EADDRNOTAVAIL)
        return err_hint(err, "the machine has no such address; see: ip address");
    return -num;
}

static void add(struct net_ports *p, int fd, const struct net_port *port)
{
    p->v = mem_grow(p->v, p->n + 1, sizeof(*p->v));
    p->fds = mem_grow(p->fds, p->n + 1, sizeof(*p->fds));
    p->v[p->n] = *port;
    p->fds[p->n++] = fd;
}

static bool no_ipv6(int r)
{
    return r == -EAFNOSUPPORT || r == -EADDRNOTAVAIL;
}

// Both families, on one port.
static int bind_any(struct net_ports *p, struct net_port port, struct err *err)
{
    uint16_t wanted = port.host;
    int r = -EADDRINUSE;
    for (int i = 0; i < (wanted ? 1 : CHOICES) && r == -EADDRINUSE; i++) {
        AUTO_FD int v4 = r = bind_one(&any4, wanted, port.udp, &port.host);
        if (r < 0)
            return refuse(&any4, wanted, port.udp, -r, err);
        AUTO_FD int v6 = r = bind_one(&any6, port.host, port.udp, &port.host);
        if (r < 0 && !no_ipv6(r))
            continue;
        port.addr = any4;
        add(p, TAKE_FD(v4), &port);
        port.addr = any6;
        if (r >= 0)
            add(p, TAKE_FD(v6), &port);
        return 0;
    }
    return refuse(&any6, wanted, port.udp, -r, err);
}

static int bind_publication(struct net_ports *p, const struct net_publish *pub, struct err *err)
{
    for (uint16_t i = 0; i < pub->count; i++) {
        struct net_port port = {.addr = pub->addr,
                                .host = pub->host ? (uint16_t)(pub->host + i) : 0,
                                .job = (uint16_t)(pub->job + i),
                                .udp = pub->udp};
        if (pub->addr.family == IP_NONE) {
            int r = bind_any(p, port, err);
            if (r < 0)
                return r;
            continue;
        }
        uint16_t wanted = port.host;
        int fd = bind_one(&pub->addr, wanted, pub->udp, &port.host);
        if (fd < 0)
            return refuse(&pub->addr, wanted, pub->udp, -fd, err);
        add(p, fd, &port);
    }
    return 0;
}

int net_ports_bind(const struct net_opts *opts, struct net_ports *ret, struct err *err)
{
    struct net_ports p = {0};
    int r = 0;
    for (size_t i = 0; r == 0 && i < opts->n_publish; i++)
        r = bind_publication(&p, &opts->publish[i], err);
    if (r < 0)
        net_ports_close(&p);
    *ret = p;
    return r;
}

static bool was_asked_for(const struct net_opts *opts, const struct net_port *port)
{
    for (size_t i = 0; i < opts->n_publish; i++) {
        const struct net_publish *pub = &opts->publish[i];
        if (pub->udp == port->udp && pub->host && port->host >= pub->host &&
            port->host - pub->host < pub->count && port->job - pub->job == port->host - pub->host)
            return true;
    }
    return false;
}

void net_ports_tell(const struct net_opts *opts, const struct net_ports *p)
{
    for (size_t i = 0; i < p->n; i++) {
        const struct net_port *port = &p->v[i];
        // IPv6's has the same number.
        bool second = i > 0 && port->addr.family == IP_V6 && p->v[i - 1].host == port->host &&
                      p->v[i - 1].udp == port->udp;
        if (!second && !was_asked_for(opts, port))
            log_warn("the machine's port %u leads to the job's %u/%s", port->host, port->job,
                     port->udp ? "udp" : "tcp");
    }
}

void net_ports_list(const struct net_ports *p, struct strv *out)
{
    for (size_t i = 0; i < p->n; i++) {
        const struct net_port *port = &p->v[i];
        char text[IP_TEXT_MAX];
        bool v6 = port->addr.family == IP_V6;
        strv_addf(out, "%s%s%s:%u->%u/%s", v6 ? "[" : "", ip_format(&port->addr, text),
                  v6 ? "]" : "", port->host, port->job, port->udp ? "udp" : "tcp");
    }
}

void net_ports_close(struct net_ports *p)
{
    for (size_t i = 0; i < p->n; i++)
        (void)close(p->fds[i]);
    free(p->fds);
    free(p->v);
    *p = (struct net_ports){0};
}
