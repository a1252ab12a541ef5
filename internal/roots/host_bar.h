// SPDX-License-Identifier: Apache-2.0
// The bar on stderr while bryo-unpack is at work. Host side.
#ifndef BRYO_ROOTS_HOST_BAR_H
#define BRYO_ROOTS_HOST_BAR_H

#include <stdbool.h>
#include <stdint.h>

struct wire_progress;

struct host_bar {
    const char *label;
    bool on;
    bool drawn;
    bool color;
    uint64_t start_us;
};

// show: stderr is a terminal. Nothing is drawn with --quiet, nor on a dumb one. label: "unpacking".
struct host_bar host_bar_begin(const char *label, bool show);
void host_bar_draw(struct host_bar *b, const struct wire_progress *p);
void host_bar_erase(struct host_bar *b);

#endif
