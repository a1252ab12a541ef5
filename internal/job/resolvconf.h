// SPDX-License-Identifier: Apache-2.0
// resolv.conf(5), read and written. Pure.
#ifndef BRYO_JOB_RESOLVCONF_H
#define BRYO_JOB_RESOLVCONF_H

#include "internal/base/buf.h"
#include "internal/job/netopts.h"

#include <stddef.h>

// A resolver as the file names it; zone: the interface of a link-local one, "" for none.
struct resolv_server {
    struct net_dns_server at;
    char zone[16]; // IFNAMSIZ
};

struct resolv_conf {
    struct resolv_server servers[NET_DNS_MAX];
    size_t n_servers; // 0: the file names none, which by resolv.conf(5) is the machine itself
    struct strv search;
    int ndots; // -1: not said
};

// Lines that make no sense are passed over, as the C library does; the last "search" or "domain"
// counts. text: n bytes, anything.
void resolv_conf_read(const char *text, size_t n, struct resolv_conf *ret);
void resolv_conf_done(struct resolv_conf *c);
#define AUTO_RESOLV_CONF AUTO(resolv_conf_done)

// The file of a job whose resolver is bryo-net's. machine: of the machine; its search list counts
// unless --dns-search was given.
void resolv_conf_for_job(const struct net_opts *o, const struct resolv_conf *machine,
                         struct buf *out);

#endif
