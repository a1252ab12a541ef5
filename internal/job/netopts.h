// SPDX-License-Identifier: Apache-2.0
// What a user asks of a job's network, and the parsers of the options that say so. Pure.
#ifndef BRYO_JOB_NETOPTS_H
#define BRYO_JOB_NETOPTS_H

#include "internal/base/buf.h"
#include "internal/base/ipaddr.h"
#include "internal/job/netrule.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

enum network_mode { NETWORK_NONE, NETWORK_HOST, NETWORK_SLIRP };

#define NET_MTU_MIN     1280 // IPv6's smallest
#define NET_MTU_MAX     65520
#define NET_PUBLISH_MAX 4096 // ports of all --publish together
#define NET_DNS_MAX     8    // resolvers
#define NET_SEARCH_MAX  6    // domains: MAXDNSRCH of resolv.conf(5)

// Ports of the machine that lead into the job: host + i to job + i, for i < count.
struct net_publish {
    struct ip_addr addr; // to listen on; IP_NONE: every address of the machine, both families
    uint16_t host;       // 0 (count is 1 then): one that is free is chosen and printed
    uint16_t job;        // >= 1
    uint16_t count;      // >= 1
    bool udp;
};

struct net_dns_server {
    struct ip_addr addr;
    uint16_t port; // 53 unless it was given
};

struct net_host {
    char *name; // lower case; owned
    struct ip_addr addr;
};

struct net_port_range {
    uint16_t from;
    uint16_t to;
};

struct net_opts {
    enum network_mode mode;
    bool mode_given; // false: less will do where the machine cannot do it
    bool fast_off;   // TCP goes through libslirp too
    uint32_t mtu;    // 0: the engine's choice

    // The job's addresses. IPv6 is fd00::/64 with the same host numbers.
    struct ip_net cidr; // default 10.0.2.0/24
    struct ip_addr gateway4, dns4, job4;
    struct ip_addr gateway6, dns6, job6; // fd00::2, fd00::3, fd00::100

    struct net_publish *publish;
    size_t n_publish;

    struct net_dns_server dns[NET_DNS_MAX]; // of --dns, in order; n_dns 0: those of the machine
    size_t n_dns;
    struct strv dns_search; // of --dns-search; empty: those of the machine. "." alone: none
    struct net_host *hosts; // of --add-host
    size_t n_hosts;

    // Egress. What no rule decides is allowed, unless there is an --allow.
    struct net_rules rules;
    bool allow_given;
    bool allow_host;                   // the machine's own loopback is reached at the gateway
    struct net_port_range *host_ports; // n_host_ports 0: all of its ports
    size_t n_host_ports;

    // Set by what reads the file of --net-lock where it exists: rules from lock_from on are its
    // own.
    bool lock_enforced;
    size_t lock_from;

    char *log_file;  // --net-log, or NULL
    char *lock_file; // --net-lock
    char *pcap_file; // --pcap

    uint64_t rate_bps;  // bits a second, each way; 0: as fast as it goes
    uint64_t delay_us;  // added to each packet that leaves the job
    uint64_t jitter_us; // <= delay_us
    uint32_t loss_ppm;  // parts in a million of the packets that leave the job
};

void net_opts_init(struct net_opts *o); // NETWORK_SLIRP, 10.0.2.0/24
void net_opts_done(struct net_opts *o);

// Whether an option that only a network of the job's own can hold was given; its name, or NULL.
const char *net_opts_first_given(const struct net_opts *o);

// What only shows when all of them are known: an option that the mode cannot hold, two publications
// of one port. 0, or -EINVAL with err.
int net_opts_check(const struct net_opts *o, struct err *err);

// The parsers: 0, or -EINVAL (-E2BIG, -ERANGE) with err.
typedef int net_opt_parse(struct net_opts *o, const char *value, struct err *err);
net_opt_parse net_opt_network; // none | host | slirp[:fast=on|off]
net_opt_parse net_opt_mtu;     // BYTES
net_opt_parse net_opt_addr;    // A.B.C.D/PREFIX; with bits behind the prefix: the job's address too
net_opt_parse net_opt_publish; // [IP:][HOST[-HOST]:]JOB[-JOB][/tcp|/udp]; [::1]:HOST:JOB
net_opt_parse net_opt_dns;     // IP | IP:PORT | [IPv6]:PORT, several parted by commas
net_opt_parse net_opt_dns_search;          // DOMAIN, several parted by commas; "." for none
net_opt_parse net_opt_add_host;            // NAME:IP
net_opt_parse net_opt_allow, net_opt_deny; // netrule.h
net_opt_parse net_opt_allow_host;          // "" | PORT,PORT-PORT,...
net_opt_parse net_opt_log, net_opt_lock, net_opt_pcap;
net_opt_parse net_opt_rate;  // 10mbit, 800kbit, 1.5gbit, 1mbps (bytes a second), as tc(8) has them
net_opt_parse net_opt_delay; // DURATION[,JITTER]
net_opt_parse net_opt_loss;  // 1%, 0.5%

#endif
