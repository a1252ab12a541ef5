// SPDX-License-Identifier: Apache-2.0
// The records of one pax extended header (POSIX.1-2017, pax, "pax Extended Header"). Pure.
#ifndef BRYO_IMAGE_TAR_PAX_H
#define BRYO_IMAGE_TAR_PAX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

// Seconds since the epoch, rounded down, and nanoseconds above that.
struct pax_time {
    bool set;
    int64_t s;
    uint32_t ns;
};

struct pax {
    bool present;
    char *path; // owned, as all strings here; NULL: the header does not say
    char *link;
    bool has_size;
    uint64_t size;
    struct pax_time mtime;
    struct pax_time atime;
    bool sparse; // has GNU.sparse.* records
    unsigned sparse_major;
    char *sparse_name;
    bool has_realsize;
    uint64_t realsize;
    unsigned seen; // keys, each may come once
};

void pax_done(struct pax *p);

// global: the header is of type g. Such a one may not say what only one member can have, and
// nothing that libarchive would silently pass over. offset: of the header, for messages.
int pax_parse(const char *text, size_t n, bool global, uint64_t offset, struct pax *ret,
              struct err *err);

#endif
