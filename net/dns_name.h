// SPDX-License-Identifier: Apache-2.0
// Domain names in DNS messages (RFC 1035, section 3.1 and 4.1.4). Pure.
#ifndef BRYO_NET_DNS_NAME_H
#define BRYO_NET_DNS_NAME_H

#include "internal/base/ipaddr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// As text: each byte of a label may become "\ddd".
#define DNS_NAME_TEXT_MAX 1024
#define DNS_NAME_WIRE_MAX 255

// Reads the name at *at and moves *at behind it. Writes it in lower case, without a dot at the end
// ("." is the root); bytes that are no part of a host name are written "\ddd", so that two
// different names never read the same. Pointers only lead backwards, which bounds them. 0 or
// -EBADMSG.
int dns_name_read(const uint8_t *msg, size_t n, size_t *at, char out[static DNS_NAME_TEXT_MAX]);

// Moves *at behind the name without following pointers. 0 or -EBADMSG.
int dns_name_skip(const uint8_t *msg, size_t n, size_t *at);

// The address that a name of in-addr.arpa or ip6.arpa stands for (all of its labels given).
bool dns_name_reverse(const char *name, struct ip_addr *ret);

// The wire form of a name that net_name_parse() accepts: its length, at most DNS_NAME_WIRE_MAX.
size_t dns_name_write(const char *name, uint8_t out[static DNS_NAME_WIRE_MAX]);

#endif
