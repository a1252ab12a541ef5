// SPDX-License-Identifier: Apache-2.0
// The job's resolver at its address of the virtual network, over UDP: frames in, frames out.
#include "net/engine_priv.h"

#include "internal/base/buf.h"
#include "internal/base/loop.h"
#include "net/dns.h"
#include "net/dns_tcp.h"
#include "net/frame_build.h"

#include <string.h>

#define DNS_PORT 53

static void on_reply(void *ctx, const struct dns_asker *to, const void *msg, size_t n)
{
    struct engine *e = ctx;
    if (to->tcp) {
        dns_tcp_reply(e->dns_tcp, to, msg, n);
        return;
    }
    size_t len = frame_build_udp(e->out, &to->dst, DNS_PORT, &to->src, to->sport, msg, n);
    if (len)
        (void)engine_inject(e, e->out, len);
}

// Once, and not what a search list makes of a name that was told.
static bool worth_telling(struct engine *e, const char *name)
{
    struct strv *told = &e->told_names;
    for (size_t i = 0; i < told->n; i++) {
        size_t n = strlen(told->v[i]);
        if (strncmp(told->v[i], name, n) == 0 && (name[n] == '\0' || name[n] == '.'))
            return false;
    }
    if (told->n == ENGINE_TOLD_MAX)
        return false;
    strv_add(told, name);
    return true;
}

static void on_question(void *ctx, const struct dns_record *record)
{
    struct engine *e = ctx;
    netlog_dns(e->log, record);
    if (record->refused && worth_telling(e, record->name))
        engine_note(e, "the name %s refused: %s%s", record->name, record->why,
                    e->told_names.n == ENGINE_TOLD_MAX ? " (further ones are not told)" : "");
}

int engine_dns_new(struct engine *e, struct err *err)
{
    const struct dns_config config = {
        .loop = e->loop,
        .policy = &e->policy,
        .ipv6 = e->config->ipv6,
        .times = &dns_upstream_default_times,
        .reply = on_reply,
        .log = on_question,
        .ctx = e,
    };
    e->dns = dns_new(&config);
    const char *text = e->config->resolv ? e->config->resolv : "";
    dns_set_resolv(e->dns, text, strlen(text));
    int r = dns_tcp_new(e->loop, &e->dns_tcp, &e->policy.dns_port, err);
    if (r == 0)
        dns_tcp_serve(e->dns_tcp, e->dns);
    return r;
}

void engine_dns_free(struct engine *e)
{
    dns_tcp_free(e->dns_tcp);
    strv_done(&e->told_names);
    dns_free(e->dns);
}

bool engine_is_dns(const struct engine *e, const struct frame *f)
{
    const struct net_opts *o = &e->config->opts;
    return f->class == FRAME_UDP && f->dport == DNS_PORT &&
           ip_equal(&f->dst, f->dst.family == IP_V4 ? &o->dns4 : &o->dns6);
}

void engine_dns_frame(struct engine *e, const struct frame *f)
{
    const struct dns_asker asker = {.src = f->src, .dst = f->dst, .sport = f->sport};
    dns_ask(e->dns, &asker, f->bytes + f->payload, frame_payload_len(f));
}
