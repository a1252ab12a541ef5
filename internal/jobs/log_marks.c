// SPDX-License-Identifier: Apache-2.0
#include "internal/jobs/log_marks.h"

#include "internal/base/buf.h"

#include <stdlib.h>

void log_marks_add(struct log_marks *m, const struct log_mark *v, size_t n)
{
    m->v = mem_grow(m->v, m->n + n, sizeof(*v));
    for (size_t i = 0; i < n; i++)
        m->v[m->n++] = v[i];
}

void log_marks_done(struct log_marks *m)
{
    free(m->v);
    *m = (struct log_marks){0};
}

uint64_t log_marks_at(const struct log_marks *m, uint64_t offset)
{
    size_t low = 0;
    size_t high = m->n; // the first mark behind it lies in low..high
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (m->v[middle].offset <= offset)
            low = middle + 1;
        else
            high = middle;
    }
    return low ? m->v[low - 1].time_us : 0;
}
