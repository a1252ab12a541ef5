// SPDX-License-Identifier: Apache-2.0
#include "net/netlog.h"

#include "internal/base/buf.h"
#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/base/fd.h"
#include "internal/base/loop.h"
#include "internal/job/netlock.h"
#include "internal/job/netopts.h"
#include "net/dns.h"
#include "net/flowlog.h"
#include "net/pcapng.h"
#include "net/policy.h"
#include "net/sink.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define UNUSED_TOLD 10

struct netlog {
    const struct net_opts *opts;
    struct netlog_files files;
    struct sink *log;
    struct sink *pcap;
    struct flowlog_bound bound;
    struct netlock lock;
    bool *used; // rules of the lock file that is enforced, from opts->lock_from on
    uint64_t lost_packets;
};

static uint64_t real_us(void)
{
    struct timespec ts;
    (void)clock_gettime(CLOCK_REALTIME, &ts);
    return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

struct netlog *netlog_new(struct loop *loop, const struct net_opts *opts,
                          const struct netlog_files *files)
{
    struct netlog *l = mem_alloc(sizeof(*l));
    l->opts = opts;
    l->files = *files;
    if (files->log >= 0)
        l->log = sink_new(loop, files->log);
    flowlog_bound_init(&l->bound, loop_now_us());
    if (opts->lock_enforced)
        l->used = mem_alloc(opts->rules.n - opts->lock_from);
    if (files->pcap >= 0) {
        AUTO_BUF struct buf head = {0};
        pcapng_head(&head, "tap0");
        l->pcap = sink_new(loop, files->pcap);
        (void)sink_add(l->pcap, head.data, head.len);
    }
    return l;
}

// Whether one more line may be written; what was left out since the last is said first.
static bool may_write(struct netlog *l, const struct flowlog_clock *now)
{
    if (!l->log || !flowlog_bound_take(&l->bound, now->monotonic_us))
        return false;
    if (l->bound.dropped) {
        AUTO_BUF struct buf line = {0};
        flowlog_dropped(l->bound.dropped, now, &line);
        if (sink_add(l->log, line.data, line.len))
            l->bound.dropped = 0;
    }
    return true;
}

static void write_flow(struct netlog *l, const struct flow *f)
{
    const struct flowlog_clock now = {loop_now_us(), real_us()};
    AUTO_BUF struct buf line = {0};
    if (!may_write(l, &now))
        return;
    flowlog_flow(f, &now, &line);
    l->bound.dropped += !sink_add(l->log, line.data, line.len);
}

// Its questions are written down one by one instead.
static bool is_resolver(const struct netlog *l, const struct flow *f)
{
    return ip_equal(&f->key.dst, &l->opts->dns4) || ip_equal(&f->key.dst, &l->opts->dns6);
}

void netlog_verdict(struct netlog *l, const struct flow *f, size_t rule)
{
    if (l->used && rule != POLICY_NO_RULE && rule >= l->opts->lock_from)
        l->used[rule - l->opts->lock_from] = true;
    if (f->verdict != FLOW_ALLOWED)
        write_flow(l, f);
    else if (l->files.lock >= 0 && !f->published && ip_equal(&f->host, &f->key.dst))
        netlock_used(&l->lock, f->name, &f->key.dst, f->key.proto, f->key.dport);
}

void netlog_ended(struct netlog *l, const struct flow *f)
{
    if (!is_resolver(l, f))
        write_flow(l, f);
}

void netlog_dns(struct netlog *l, const struct dns_record *r)
{
    const struct flowlog_clock now = {loop_now_us(), real_us()};
    const struct net_rules *rules = &l->opts->rules;
    if (l->files.lock >= 0 && !r->refused)
        netlock_used(&l->lock, r->name, NULL, NET_PROTO_ANY, 0);
    for (size_t i = l->opts->lock_from; l->used && !r->refused && i < rules->n; i++)
        if (rules->v[i].port_to == 0 && net_rule_matches_name(&rules->v[i], r->name))
            l->used[i - l->opts->lock_from] = true;
    if (!may_write(l, &now))
        return;
    AUTO_BUF struct buf line = {0};
    flowlog_dns(r, &now, &line);
    l->bound.dropped += !sink_add(l->log, line.data, line.len);
}

void netlog_frame(struct netlog *l, bool in, const void *frame, size_t len)
{
    struct timespec ts;
    AUTO_BUF struct buf block = {0};
    if (!l->pcap)
        return;
    (void)clock_gettime(CLOCK_REALTIME, &ts);
    pcapng_packet(&block, (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec, in, frame, len);
    l->lost_packets += !sink_add(l->pcap, block.data, block.len);
}

static void tell_unused(const struct netlog *l, struct buf *notes)
{
    const struct net_rules *rules = &l->opts->rules;
    AUTO_BUF struct buf list = {0};
    size_t n = 0;
    for (size_t i = l->opts->lock_from; l->used && i < rules->n; i++) {
        if (l->used[i - l->opts->lock_from] || n++ >= UNUSED_TOLD)
            continue;
        buf_adds(&list, list.len ? ", " : "");
        net_rule_format(&rules->v[i], &list);
    }
    if (n > UNUSED_TOLD)
        buf_addf(&list, " and %zu more", n - UNUSED_TOLD);
    if (n)
        buf_addf(notes, "--net-lock: not used this time: %s\n", buf_str(&list));
}

static void write_lock(const struct netlog *l, struct buf *notes)
{
    AUTO_BUF struct buf text = {0};
    if (l->files.lock < 0)
        return;
    netlock_write(&l->lock, &text);
    int r = fd_write_all(l->files.lock, text.data, text.len);
    if (r < 0)
        buf_addf(notes, "--net-lock: the file could not be written: %s\n", err_words(-r));
    if (l->lock.full)
        buf_addf(notes, "--net-lock: the job connected to more than the file can say\n");
}

void netlog_finish(struct netlog *l, struct buf *notes)
{
    if (l->log && l->bound.dropped) {
        const struct flowlog_clock now = {loop_now_us(), real_us()};
        AUTO_BUF struct buf line = {0};
        flowlog_dropped(l->bound.dropped, &now, &line);
        (void)sink_add(l->log, line.data, line.len);
    }
    if (l->log && sink_error(l->log))
        buf_addf(notes, "--net-log: the file could not be written: %s\n",
                 err_words(sink_error(l->log)));
    if (l->pcap && sink_error(l->pcap))
        buf_addf(notes, "--pcap: the file could not be written: %s\n",
                 err_words(sink_error(l->pcap)));
    else if (l->lost_packets)
        buf_addf(notes, "--pcap: %zu packets are missing: what reads them is slow\n",
                 (size_t)l->lost_packets);
    write_lock(l, notes);
    tell_unused(l, notes);
}

void netlog_free(struct netlog *l)
{
    if (!l)
        return;
    sink_free(l->log);
    sink_free(l->pcap);
    netlock_done(&l->lock);
    free(l->used);
    free(l);
}
