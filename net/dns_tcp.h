// SPDX-License-Identifier: Apache-2.0
// The job's resolver over TCP (RFC 7766): a listener on the machine's loopback, which the paths of
// TCP connect the job to. Host side.
//
// Other users of the machine can connect there as well, and get what the job would get: names that
// the job may ask for, from resolvers that they have themselves.
#ifndef BRYO_NET_DNS_TCP_H
#define BRYO_NET_DNS_TCP_H

#include <stddef.h>
#include <stdint.h>

struct dns;
struct dns_asker;
struct dns_tcp;
struct err;
struct loop;

#define DNS_TCP_CONNECTIONS 64
#define DNS_TCP_IDLE_US     UINT64_C(10000000)

// Listens on 127.0.0.1, at *ret_port. 0, or -errno with err.
int dns_tcp_new(struct loop *loop, struct dns_tcp **ret, uint16_t *ret_port, struct err *err);
void dns_tcp_free(struct dns_tcp *t); // before the struct dns that it was given; NULL is fine

// Whom to ask; connections that came before wait.
void dns_tcp_serve(struct dns_tcp *t, struct dns *dns);

// The answer to a question that came from here (struct dns_asker.tcp). What the other end does not
// take at once waits, up to a bound; then the connection ends.
void dns_tcp_reply(struct dns_tcp *t, const struct dns_asker *to, const void *msg, size_t n);

#endif
