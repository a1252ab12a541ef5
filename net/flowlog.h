// SPDX-License-Identifier: Apache-2.0
// The lines of --net-log: JSON, one object a line (each ends with a newline), as they are told.
// Pure.
//
//   {"time":"2024-05-01T12:00:00.123Z","type":"connection","protocol":"tcp","name":"example.org",
//    "address":"198.51.100.1","port":443,"verdict":"allowed","rule":"--allow example.org:443",
//    "bytes_out":517,"bytes_in":4096,"duration":0.250,"path":"fast"}
//   {"time":...,"type":"dns","transport":"udp","name":"example.org","query":"A","result":"NOERROR",
//    "verdict":"allowed","addresses":["198.51.100.1"],"duration":0.012}
//   {"time":...,"type":"dropped","lines":1200}
//
// verdict: allowed, refused (by a rule), closed (by default). rule: what decided; left out where
// nothing did. error: the kernel's words, where the machine could not connect. name: left out when
// the job used an address.
#ifndef BRYO_NET_FLOWLOG_H
#define BRYO_NET_FLOWLOG_H

#include "net/flow.h"

#include <stdbool.h>
#include <stdint.h>

struct buf;
struct dns_record;

// now: what the clocks said at one moment; a line's time is reckoned from its flow's start_us.
struct flowlog_clock {
    uint64_t monotonic_us;
    uint64_t real_us; // since 1970
};

void flowlog_flow(const struct flow *f, const struct flowlog_clock *now, struct buf *out);
void flowlog_dns(const struct dns_record *r, const struct flowlog_clock *now, struct buf *out);
void flowlog_dropped(uint64_t lines, const struct flowlog_clock *now, struct buf *out);

// How many lines may be written: a burst, then so many a second. What a job does cannot fill a disk
// quickly; what was left out is counted.
#define FLOWLOG_BURST  20000
#define FLOWLOG_SECOND 500

struct flowlog_bound {
    uint64_t tokens_us; // each line costs a second / FLOWLOG_SECOND
    uint64_t last_us;
    uint64_t dropped; // since the last line that was written
};

void flowlog_bound_init(struct flowlog_bound *b, uint64_t now_us);

// Whether one more line may be written; if not it was counted.
bool flowlog_bound_take(struct flowlog_bound *b, uint64_t now_us);

#endif
