// SPDX-License-Identifier: Apache-2.0
// Where libslirp carries TCP, the job's connections to its resolver are turned to bryo-net's
// listener on the machine's loopback, which libslirp has at the gateway's address: there and back,
// in the frames. IPv4. Pure.
#ifndef BRYO_NET_DNS_NAT_H
#define BRYO_NET_DNS_NAT_H

#include "internal/base/ipaddr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct frame;

struct dns_nat {
    struct ip_addr resolver; // as the job sees it, port 53
    struct ip_addr gateway;
    uint16_t port; // of the listener
};

// A checked TCP frame of the job to the resolver: its destination is changed, in place.
void dns_nat_out(const struct dns_nat *nat, const struct frame *f);

// A frame of libslirp: whether it comes from the listener; then its source is changed, in place.
bool dns_nat_in(const struct dns_nat *nat, uint8_t *bytes, size_t len);

#endif
