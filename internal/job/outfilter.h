// SPDX-License-Identifier: Apache-2.0
// What one stream of a job's output goes through: secrets first, as nothing may be put between
// their bytes, then commands to the reader of the log, then what a terminal would obey. Pure.
#ifndef BRYO_JOB_OUTFILTER_H
#define BRYO_JOB_OUTFILTER_H

#include "internal/job/guard.h"
#include "internal/job/masker.h"

struct outfilter {
    struct mask_stream mask; // mask.m: NULL where there are no secrets
    bool guards;
    bool terminal; // it goes to a terminal that the job was not given
    struct guard guard;
    struct termsafe term;
    bool mid_line; // the last that came out was no end of a line
};

void outfilter_feed(struct outfilter *f, const void *bytes, size_t n, struct buf *out);
bool outfilter_holds(const struct outfilter *f);
void outfilter_pause(struct outfilter *f, struct buf *out); // see mask_pause()
void outfilter_end(struct outfilter *f, struct buf *out);
void outfilter_done(struct outfilter *f);

#endif
