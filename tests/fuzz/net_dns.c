// SPDX-License-Identifier: Apache-2.0
// DNS messages: the question of a job, then the answer of a resolver to it. The first two bytes of
// the input say how much of it is the question.
#include "net/dns_msg.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void see(void *ctx, const char *name, bool asked, const struct ip_addr *a, uint32_t ttl)
{
    size_t *count = ctx;
    const struct dns_question *q = NULL;
    (void)q, (void)ttl;
    require(strlen(name) < DNS_NAME_TEXT_MAX && a->family != IP_NONE);
    for (const char *c = name; *c; c++)
        require(*c > ' ' && *c < 127 && (*c < 'A' || *c > 'Z'));
    *count += asked;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dns_question q;
    if (size < 2)
        return 0;
    size_t n = (size_t)(data[0] << 8 | data[1]) % (size - 1);
    const uint8_t *msg = data + 2;
    size_t at = 0;
    char name[DNS_NAME_TEXT_MAX];
    if (dns_name_read(msg, size - 2, &at, name) == 0)
        require(at <= size - 2 && strlen(name) < sizeof(name));
    if (dns_question_read(msg, n, &q) < 0)
        return 0;
    require(q.wire_len >= 5 && q.wire_len <= sizeof(q.wire));
    require(q.udp_size >= DNS_UDP_PLAIN && q.udp_size <= DNS_UDP_EDNS);

    // What is asked anew is the same question.
    struct dns_question again;
    uint8_t query[DNS_QUERY_MAX];
    size_t query_len = dns_build_query(&q, 7, query);
    require(query_len <= sizeof(query) && dns_question_read(query, query_len, &again) == 0);
    require(again.id == 7 && again.type == q.type && strcmp(again.name, q.name) == 0);

    // Answers of our own fit it, and are read.
    uint8_t reply[DNS_UDP_EDNS];
    struct ip_addr addrs[40];
    size_t count = 0;
    for (size_t i = 0; i < 40; i++)
        addrs[i] = q.type == DNS_TYPE_A ? ip_v4(1, 2, 3, 4) : (struct ip_addr){IP_V6, {1}};
    size_t len = dns_build_reply(&q, DNS_NOERROR, false, addrs, 40, reply);
    require(len <= sizeof(reply) && dns_reply_fits(&q, q.id, reply, len));
    require(dns_reply_each(&q, reply, len, see, &count) == 0);
    if (q.type == DNS_TYPE_A && q.class == DNS_CLASS_IN)
        require(count == 32);

    // The rest of the input is an answer; made to fit, so that its records are read.
    size_t rest = size - 2 - n;
    uint8_t *answer = malloc(12 + q.wire_len + rest + 1);
    memcpy(answer, query, 12);
    answer[2] |= 0x80;
    answer[6] = rest > 0 ? msg[n] : 0;
    answer[7] = rest > 1 ? msg[n + 1] : 0;
    memcpy(answer + 12, q.wire, q.wire_len);
    memcpy(answer + 12 + q.wire_len, msg + n, rest);
    require(dns_reply_fits(&q, 7, answer, 12 + q.wire_len + rest));
    (void)dns_reply_each(&q, answer, 12 + q.wire_len + rest, see, &count);
    free(answer);
    return 0;
}
