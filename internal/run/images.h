// SPDX-License-Identifier: Apache-2.0
// What "bryo image" does, as data; printing is cmd/'s. Composes the store with user namespaces.
#ifndef BRYO_RUN_IMAGES_H
#define BRYO_RUN_IMAGES_H

#include "internal/job/spec.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

struct image_info {
    char digest[65];  // SHA-256 of the tarball
    char map_key[17]; // idmaps_key() of the maps it was unpacked under
    char *source;     // path it was last unpacked from
    char *format;     // "tar.xz", ...
    uint64_t input_bytes;
    uint64_t unpacked_bytes; // apparent sizes of its files
    uint64_t entries;
    uint64_t skipped_devices;
    int64_t created_s; // CLOCK_REALTIME
    int64_t used_s;    // last run that used it
    bool in_use;       // a run holds it now
    char *path;        // of the unpacked root
};

struct image_verdict {
    uint64_t checked; // entries compared with the manifest
    struct strv bad;  // one line each: what differs, member names escaped
};

void image_info_done(struct image_info *info);
void image_infos_free(struct image_info *infos, size_t n);
void image_verdict_done(struct image_verdict *v);

// Newest first.
int images_list(struct image_info **ret, size_t *ret_n, struct err *err);

// ref: a digest or a unique prefix of at least 4 digits, or the path of a tarball that was
// imported.
int images_inspect(const char *ref, struct image_info *ret, struct err *err);
int images_remove(const char *ref, struct err *err); // -EBUSY while a run uses it

// Removes what no run used for older_than_s seconds (0: all that is not in use), and leftovers.
int images_prune(uint64_t older_than_s, uint64_t *ret_n, uint64_t *ret_bytes, struct err *err);

// Unpacks now what a run would unpack. spec: userns, maps, limits are used.
int images_import(const struct job_spec *spec, const char *path, struct image_info *ret,
                  struct err *err);
int images_verify(const char *ref, struct image_verdict *ret, struct err *err);

#endif
