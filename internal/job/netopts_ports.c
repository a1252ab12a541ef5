// SPDX-License-Identifier: Apache-2.0
// Ports: --publish and --allow-host.
#include "internal/base/err.h"
#include "internal/base/parse.h"
#include "internal/job/netopts.h"

#include <errno.h>
#include <string.h>

// N or N-M, each from min to 65535.
static int read_range(const char *s, size_t n, uint16_t min, struct net_port_range *ret)
{
    const char *dash = memchr(s, '-', n);
    size_t first = dash ? (size_t)(dash - s) : n;
    uint64_t from = 0;
    uint64_t to = 0;
    if (parse_u64n(s, first, min, 65535, &from) < 0)
        return -EINVAL;
    to = from;
    if (dash && parse_u64n(dash + 1, n - first - 1, from, 65535, &to) < 0)
        return -EINVAL;
    *ret = (struct net_port_range){(uint16_t)from, (uint16_t)to};
    return 0;
}

static int wrong(const char *value, struct err *err)
{
    (void)err_set(err, EINVAL, "\"%s\" is not of the form [IP:][HOST:]JOB[/udp]", value);
    return err_hint(err, "such as 8080:80, 127.0.0.1:8080:80, [IPV6]:8080:80, 8000-8010:8000-8010, "
                         "53:53/udp; HOST 0, or none, takes one that is free");
}

// "/tcp" or "/udp" off the end of n bytes.
static int take_proto(const char *value, size_t *n, bool *udp, struct err *err)
{
    const char *slash = strchr(value, '/');
    *n = slash ? (size_t)(slash - value) : strlen(value);
    if (slash && strcmp(slash, "/tcp") != 0 && strcmp(slash, "/udp") != 0)
        return err_set(err, EINVAL, "\"%s\": the protocol is tcp or udp", value);
    *udp = slash && slash[1] == 'u';
    return 0;
}

// The address in front, if there is one: takes it and its colon off.
static int take_address(const char **s, size_t *n, struct ip_addr *ret)
{
    const char *colon = memchr(*s, ':', *n);
    size_t host = 0;
    int r = 0;
    if (*n && (*s)[0] == '[') {
        const char *end = memchr(*s, ']', *n);
        host = end ? (size_t)(end - *s) + 1 : 0;
        if (!end || host >= *n || (*s)[host] != ':')
            return -EINVAL;
        r = ip_parse(*s + 1, host - 2, ret);
    } else if (colon && memchr(colon + 1, ':', *n - (size_t)(colon - *s) - 1)) {
        host = (size_t)(colon - *s);
        r = host ? ip_parse(*s, host, ret) : 0; // docker takes ":8080:80" too
    } else {
        return 0;
    }
    *s += host + 1;
    *n -= host + 1;
    return r;
}

int net_opt_publish(struct net_opts *o, const char *value, struct err *err)
{
    struct net_publish p = {0};
    struct net_port_range host = {0};
    struct net_port_range job = {0};
    const char *s = value;
    size_t n = 0;
    int r = take_proto(value, &n, &p.udp, err);
    if (r < 0)
        return r;
    if (take_address(&s, &n, &p.addr) < 0)
        return wrong(value, err);
    const char *colon = memchr(s, ':', n);
    size_t first = colon ? (size_t)(colon - s) : 0;
    const char *inner = colon ? colon + 1 : s;
    if (first > 0 && read_range(s, first, 0, &host) < 0)
        return wrong(value, err);
    if (read_range(inner, n - (size_t)(inner - s), 1, &job) < 0)
        return wrong(value, err);
    if (host.from == 0 && host.to != 0)
        return err_set(err, EINVAL, "\"%s\": a range of ports begins at 1", value);
    p.count = (uint16_t)(job.to - job.from + 1);
    if (host.from != 0 && host.to - host.from != job.to - job.from)
        return err_set(err, EINVAL, "\"%s\": the ranges have %u and %u ports", value,
                       host.to - host.from + 1U, (unsigned)p.count);
    if (p.count > NET_PUBLISH_MAX || p.count == 0)
        return err_set(err, E2BIG, "\"%s\": more than %d ports", value, NET_PUBLISH_MAX);
    p.host = host.from;
    p.job = job.from;
    o->publish = mem_grow(o->publish, o->n_publish + p.count, sizeof(*o->publish));
    // Each free port is chosen for itself.
    unsigned entries = host.from == 0 ? p.count : 1;
    for (unsigned i = 0; i < entries; i++) {
        o->publish[o->n_publish] = p;
        if (entries > 1 || host.from == 0)
            o->publish[o->n_publish].count = 1;
        o->publish[o->n_publish++].job = (uint16_t)(p.job + i);
    }
    return 0;
}

int net_opt_allow_host(struct net_opts *o, const char *value, struct err *err)
{
    bool all = o->allow_host && o->n_host_ports == 0;
    o->allow_host = true;
    if (!*value || all) { // all of them were, or are, asked for
        o->n_host_ports = 0;
        return 0;
    }
    for (const char *s = value;; s++) {
        size_t n = strcspn(s, ",");
        struct net_port_range range;
        if (read_range(s, n, 1, &range) < 0)
            return err_set(err, EINVAL,
                           "\"%.*s\" is not a port from 1 to 65535, or a range of "
                           "them",
                           (int)n, s);
        o->host_ports = mem_grow(o->host_ports, o->n_host_ports + 1, sizeof(*o->host_ports));
        o->host_ports[o->n_host_ports++] = range;
        s += n;
        if (!*s)
            return 0;
    }
}
