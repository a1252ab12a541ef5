// SPDX-License-Identifier: Apache-2.0
// What "bryo image" does, as data; printing is cmd/'s. Composes the store with user namespaces.
#ifndef BRYO_ROOTS_IMAGES_H
#define BRYO_ROOTS_IMAGES_H

#include "internal/job/spec.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

enum image_kind {
    IMAGE_ROOT,  // a tarball, unpacked as a root
    IMAGE_LAYER, // a tarball, unpacked as a layer: its whiteouts are honoured
    IMAGE_DIR, // a directory, used in place: it has a source and a path, and nothing else is known
};

struct image_info {
    enum image_kind kind;
    char digest[65];  // SHA-256 of the tarball
    char map_key[17]; // idmaps_key() of the maps it was unpacked under
    char *source;     // path it was last unpacked from
    char *format;     // "tar.xz", ...
    uint64_t input_bytes;
    uint64_t unpacked_bytes; // apparent sizes of its files
    uint64_t entries;
    uint64_t skipped_devices; // not unpacked
    uint64_t skipped_xattrs;  // extended attributes and ACLs that were not kept
    uint64_t squashed_owners; // members given to 0, their owner being beyond the maps
    int64_t created_s;        // CLOCK_REALTIME
    int64_t used_s;           // last run that used it
    bool in_use;              // a run holds it now
    char *path;               // of the unpacked root
};

struct image_verdict {
    uint64_t checked;       // entries compared with the manifest
    struct strv bad;        // one line each: what differs, member names escaped
    uint64_t repaired;      // images that were unpacked again
    size_t repaired_faults; // lines of bad that this has mended
};

void image_info_done(struct image_info *info);
void image_infos_free(struct image_info *infos, size_t n);
void image_verdict_done(struct image_verdict *v);

// Newest first.
int images_list(struct image_info **ret, size_t *ret_n, struct err *err);

// ref: a digest or a unique prefix of at least 4 digits, or the path of a tarball that was
// imported.
int images_inspect(const char *ref, struct image_info *ret, struct err *err);

// The same of a root and the layers above it, lowest first; a layer may be a directory too. The
// caller frees with image_infos_free().
int images_inspect_stack(const char *ref, const struct strv *layers, struct image_info **ret,
                         size_t *ret_n, struct err *err);

// -EBUSY while a run uses it, and (unless force) while a kept job stands on it.
int images_remove(const char *ref, bool force, struct err *err);

struct images_pruned {
    uint64_t n;
    uint64_t bytes;
    uint64_t kept; // images that were left, since kept jobs stand on them
};

// Removes what no run used for older_than_s seconds (0: all that is not in use), and leftovers.
// force: also what kept jobs stand on.
int images_prune(uint64_t older_than_s, bool force, struct images_pruned *ret, struct err *err);

// Unpacks now what a run would unpack. spec: userns, maps, limits are used. layer: as --layer
// would.
int images_import(const struct job_spec *spec, const char *path, bool layer, struct image_info *ret,
                  struct err *err);

struct images_verify_opts {
    const struct job_spec *spec; // userns and maps of the run that unpacked it, limits
    bool repair;                 // unpack again what differs
};

// Also of an image that is lost or damaged. A repair needs the tarball, by the path that ref is or
// by the one it was unpacked from; -ENOENT without, and the image is left as it is. -EBUSY.
int images_verify(const char *ref, const struct images_verify_opts *opts, struct image_verdict *ret,
                  struct err *err);

#endif
