// SPDX-License-Identifier: Apache-2.0
// A network that is slower, farther or worse than the real one (--net-rate, --net-delay,
// --net-loss).
#ifndef BRYO_NET_SHAPE_H
#define BRYO_NET_SHAPE_H

#include "internal/job/netopts.h"

#include <stdbool.h>

static inline bool shape_wanted(const struct net_opts *o)
{
    return o->rate_bps || o->delay_us || o->loss_ppm;
}

#endif
