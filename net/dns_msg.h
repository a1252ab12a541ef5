// SPDX-License-Identifier: Apache-2.0
// DNS messages (RFC 1035, EDNS of RFC 6891): questions of a job read and written anew, answers of a
// resolver checked and read. Pure; both sides are strangers.
//
// A question is never handed on as it came: the name's bytes (their case kept), type and class go
// into a message of our own, so that nothing else of what a job writes reaches the machine's
// resolver.
#ifndef BRYO_NET_DNS_MSG_H
#define BRYO_NET_DNS_MSG_H

#include "internal/base/ipaddr.h"
#include "net/dns_name.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DNS_TYPE_A = 1, DNS_TYPE_CNAME = 5, DNS_TYPE_AAAA = 28, DNS_TYPE_OPT = 41 };
enum { DNS_CLASS_IN = 1 };

enum {
    DNS_NOERROR = 0,
    DNS_FORMERR = 1,
    DNS_SERVFAIL = 2,
    DNS_NXDOMAIN = 3,
    DNS_NOTIMP = 4,
    DNS_REFUSED = 5,
};

#define DNS_HEADER_LEN 12
#define DNS_UDP_PLAIN  512  // without EDNS
#define DNS_UDP_EDNS   1232 // never more: fits every path unfragmented (DNS Flag Day 2020)
#define DNS_MSG_MAX    65535
#define DNS_QUERY_MAX  (DNS_HEADER_LEN + DNS_NAME_WIRE_MAX + 4 + 17)
#define DNS_TTL_OWN    60 // seconds, of answers that bryo-net makes itself

struct dns_question {
    uint16_t id;
    bool recursion; // RD
    bool checking;  // CD
    bool authentic; // AD: the asker understands it (RFC 6840)
    bool edns;
    bool dnssec_ok;    // DO
    bool prohibited;   // set by who answers: say so, where EDNS has a place for it (RFC 8914)
    uint16_t udp_size; // what the asker takes by UDP: DNS_UDP_PLAIN to DNS_UDP_EDNS
    uint16_t type;
    uint16_t class;
    char name[DNS_NAME_TEXT_MAX]; // lower case (dns_name.h)
    size_t wire_len;              // name, type and class as they were asked
    uint8_t wire[DNS_NAME_WIRE_MAX + 4];
};

// 0; -EBADMSG: no question at all, not to be answered; -EPROTO or -EOPNOTSUPP: to be answered with
// FORMERR or NOTIMP by dns_build_reply(), id and flags are filled and wire_len is 0.
int dns_question_read(const uint8_t *msg, size_t n, struct dns_question *ret);

// The question as a message with another id. Returns its length.
size_t dns_build_query(const struct dns_question *q, uint16_t id,
                       uint8_t out[static DNS_QUERY_MAX]);

// An answer of our own: the addresses of the question's family, at most 32; truncated: TC, ask by
// TCP. Returns its length, at most DNS_UDP_EDNS.
size_t dns_build_reply(const struct dns_question *q, int rcode, bool truncated,
                       const struct ip_addr *addrs, size_t n, uint8_t out[static DNS_UDP_EDNS]);

// Whether a message is the answer to dns_build_query(q, id): id, QR, and the question byte for
// byte, which keeps the case (draft-vixie-dnsext-dns0x20) as one guard more against forgery.
bool dns_reply_fits(const struct dns_question *q, uint16_t id, const uint8_t *msg, size_t n);

int dns_reply_rcode(const uint8_t *msg); // of one that fits
bool dns_reply_truncated(const uint8_t *msg);
void dns_reply_set_id(uint8_t *msg, uint16_t id);

// Calls fn with every address that the answer gives for the question's name, and with every name on
// the way there: the name asked for (asked is true), then those its CNAMEs lead to. ttl: the
// smallest of the records on the way, seconds. Other records are passed over. 0 or -EBADMSG; what
// came before the bad part was given.
typedef void dns_address_fn(void *ctx, const char *name, bool asked, const struct ip_addr *addr,
                            uint32_t ttl);
int dns_reply_each(const struct dns_question *q, const uint8_t *msg, size_t n, dns_address_fn *fn,
                   void *ctx);

// "A", "AAAA", "TXT", ... or "TYPE65280".
const char *dns_type_word(uint16_t type, char out[static 16]);

#endif
