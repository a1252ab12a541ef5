// SPDX-License-Identifier: Apache-2.0
#include "net/held.h"

#include "tests/unit/tap.h"

#include <stdlib.h>

#define SECOND UINT64_C(1000000)

static struct flow_key key_of(uint16_t sport)
{
    return (struct flow_key){.src = ip_v4(10, 0, 2, 100),
                             .dst = ip_v4(198, 51, 100, (uint8_t)sport),
                             .sport = sport,
                             .dport = 80,
                             .proto = NET_PROTO_TCP};
}

static void drop(struct held_table *t, struct held *h)
{
    held_remove(t, h);
    free(h->flow);
    free(h);
}

static void drop_each(struct held *h, void *ctx)
{
    drop(ctx, h);
}

static void table(void)
{
    struct held_table *t = held_table_new(1000);
    unsigned made = 0;
    for (uint16_t i = 0; i < 1500; i++) {
        const struct flow_key key = key_of(i);
        made += held_add(t, &key) != NULL;
    }
    is_int(made, 1000, "no more than there may be");
    is_int(held_count(t), 1000, "counted");
    unsigned found = 0;
    for (uint16_t i = 0; i < 1500; i++) {
        const struct flow_key key = key_of(i);
        const struct held *h = held_find(t, &key);
        found += h && h->flow->key.sport == i;
    }
    is_int(found, 1000, "each is found, by its own ports and addresses");
    struct flow_key other = key_of(7);
    other.dport = 81;
    ok(!held_find(t, &other), "another port is another");
    other = key_of(7);
    other.src = ip_v4(10, 0, 2, 101);
    ok(!held_find(t, &other), "another address is another");
    const struct flow_key key = key_of(7);
    drop(t, held_find(t, &key));
    ok(!held_find(t, &key) && held_count(t) == 999, "one that is removed is gone");
    ok(held_add(t, &key), "and leaves room");
    held_each(t, drop_each, t);
    is_int(held_count(t), 0, "each may be removed while all are walked");
    held_table_free(t);
}

// A kernel that waits repeats its SYN after 1, 3, 7, ... seconds.
static void patience(void)
{
    struct held h = {.state = HELD_CONNECTING, .first = 100 * SECOND, .last = 100 * SECOND};
    ok(!held_expired(&h, 103 * SECOND), "the first repetition has time");
    ok(held_expired(&h, 105 * SECOND), "one who does not repeat has given up");
    bool kept = true;
    for (uint64_t at = 1; at <= 63; at = 2 * at + 1) {
        uint64_t next = 100 * SECOND + at * SECOND;
        kept = kept && !held_expired(&h, next);
        h.last = next;
    }
    ok(kept, "one who repeats is waited for, to the end");
    h.since = h.last;
    h.state = HELD_INJECTED;
    ok(!held_expired(&h, h.since + 10 * SECOND) && held_expired(&h, h.since + 30 * SECOND),
       "a handshake inside that does not come is given up");
    h.state = HELD_DONE;
    ok(!held_expired(&h, h.since + SECOND) && held_expired(&h, h.since + 4 * SECOND),
       "what is done is kept a moment");
}

int main(void)
{
    table();
    patience();
    return done_testing();
}
