// SPDX-License-Identifier: Apache-2.0
#include "net/flowlog.h"

#include "internal/base/buf.h"
#include "internal/base/err.h"
#include "internal/base/escape.h"
#include "net/dns.h"
#include "net/dns_msg.h"

#include <inttypes.h>
#include <string.h>

#define COST_US (1000000 / FLOWLOG_SECOND)
#define FULL_US ((uint64_t)FLOWLOG_BURST * COST_US)

static void put_string(struct buf *out, const char *key, const char *value)
{
    buf_addf(out, ",\"%s\":\"", key);
    escape_add_json(out, value, strlen(value));
    buf_addc(out, '"');
}

// Not by gmtime_r(3): the C library reads the time zone's file at its first call, and where this
// runs nothing can be opened. Days are counted from the March of a year that 400 divides, so that
// the odd day of February is the last (proleptic Gregorian calendar).
static void put_date(struct buf *out, uint64_t days)
{
    uint64_t d = days + 719468; // 0000-03-01 to 1970-01-01
    uint64_t era = d / 146097;
    uint64_t of_era = d % 146097;
    uint64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    uint64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    uint64_t month = (5 * of_year + 2) / 153;
    uint64_t day = of_year - (153 * month + 2) / 5 + 1;
    buf_addf(out, "%04" PRIu64 "-%02" PRIu64 "-%02" PRIu64, era * 400 + year + (month >= 10),
             month < 10 ? month + 3 : month - 9, day);
}

static void put_time(struct buf *out, const char *type, uint64_t start_us,
                     const struct flowlog_clock *now)
{
    uint64_t ago = now->monotonic_us > start_us ? now->monotonic_us - start_us : 0;
    uint64_t at = now->real_us > ago ? now->real_us - ago : 0;
    unsigned seconds = (unsigned)(at / 1000000 % 86400);
    buf_adds(out, "{\"time\":\"");
    put_date(out, at / 1000000 / 86400);
    buf_addf(out, "T%02u:%02u:%02u.%03uZ\",\"type\":\"%s\"", seconds / 3600, seconds / 60 % 60,
             seconds % 60, (unsigned)(at % 1000000 / 1000), type);
}

static void put_duration(struct buf *out, uint64_t from_us, uint64_t to_us)
{
    uint64_t us = to_us > from_us ? to_us - from_us : 0;
    buf_addf(out, ",\"duration\":%" PRIu64 ".%06u", us / 1000000, (unsigned)(us % 1000000));
}

void flowlog_flow(const struct flow *f, const struct flowlog_clock *now, struct buf *out)
{
    static const char *const verdicts[] = {"allowed", "refused", "closed"};
    char addr[IP_TEXT_MAX];
    put_time(out, "connection", f->start_us, now);
    put_string(out, "protocol", net_proto_word(f->key.proto));
    if (f->name[0])
        put_string(out, "name", f->name);
    put_string(out, "address", ip_format(&f->key.dst, addr));
    if (f->key.proto != NET_PROTO_ICMP)
        buf_addf(out, ",\"port\":%u", f->key.dport);
    if (f->published)
        buf_addf(out, ",\"published\":%u", f->key.sport);
    put_string(out, "verdict", verdicts[f->verdict]);
    if (f->why[0])
        put_string(out, "rule", f->why);
    if (f->error)
        put_string(out, "error", err_words(f->error));
    buf_addf(out, ",\"bytes_out\":%" PRIu64 ",\"bytes_in\":%" PRIu64, f->bytes_out, f->bytes_in);
    put_duration(out, f->start_us, f->end_us);
    if (f->verdict == FLOW_ALLOWED)
        put_string(out, "path", f->fast ? "fast" : "slirp");
    buf_adds(out, "}\n");
}

static const char *rcode_word(int rcode, char out[static 16])
{
    static const char *const words[] = {"NOERROR",  "FORMERR", "SERVFAIL",
                                        "NXDOMAIN", "NOTIMP",  "REFUSED"};
    if (rcode < 0 || (size_t)rcode >= sizeof(words) / sizeof(words[0]))
        (void)snprintf(out, 16, "RCODE%d", rcode);
    else
        (void)snprintf(out, 16, "%s", words[rcode]);
    return out;
}

void flowlog_dns(const struct dns_record *r, const struct flowlog_clock *now, struct buf *out)
{
    char text[IP_TEXT_MAX];
    put_time(out, "dns", r->start_us, now);
    put_string(out, "transport", r->asker.tcp ? "tcp" : "udp");
    put_string(out, "name", r->name);
    put_string(out, "query", dns_type_word(r->type, text));
    put_string(out, "result", rcode_word(r->rcode, text));
    put_string(out, "verdict", r->refused ? "refused" : "allowed");
    if (r->why[0])
        put_string(out, "rule", r->why);
    buf_adds(out, ",\"addresses\":[");
    for (size_t i = 0; i < r->n_addrs; i++)
        buf_addf(out, "%s\"%s\"", i ? "," : "", ip_format(&r->addrs[i], text));
    buf_addc(out, ']');
    put_duration(out, r->start_us, now->monotonic_us);
    buf_adds(out, "}\n");
}

void flowlog_dropped(uint64_t lines, const struct flowlog_clock *now, struct buf *out)
{
    put_time(out, "dropped", now->monotonic_us, now);
    buf_addf(out, ",\"lines\":%" PRIu64 "}\n", lines);
}

void flowlog_bound_init(struct flowlog_bound *b, uint64_t now_us)
{
    *b = (struct flowlog_bound){.tokens_us = FULL_US, .last_us = now_us};
}

bool flowlog_bound_take(struct flowlog_bound *b, uint64_t now_us)
{
    uint64_t passed = now_us > b->last_us ? now_us - b->last_us : 0;
    b->last_us = now_us;
    b->tokens_us = passed > FULL_US - b->tokens_us ? FULL_US : b->tokens_us + passed;
    if (b->tokens_us < COST_US) {
        b->dropped++;
        return false;
    }
    b->tokens_us -= COST_US;
    return true;
}
