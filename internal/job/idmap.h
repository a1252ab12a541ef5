// SPDX-License-Identifier: Apache-2.0
// The uid and gid maps of a user namespace (user_namespaces(7)) as data.
#ifndef BRYO_JOB_IDMAP_H
#define BRYO_JOB_IDMAP_H

#include "internal/base/cleanup.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct err;

#define IDMAP_MAX_EXTENTS 340 // lines that the kernel takes since Linux 4.15

// What an id that is not mapped looks like inside (Documentation/admin-guide/sysctl/kernel.rst,
// overflowuid).
#define IDMAP_OVERFLOW_ID 65534U

struct id_extent {
    uint32_t inside;  // first id in the namespace
    uint32_t outside; // first id in the launcher's namespace
    uint32_t count;   // how many; > 0
};

struct idmap {
    struct id_extent *ext; // owned
    size_t n;
};

enum idmap_kind {
    IDMAP_SINGLE, // one id, written by the user; setgroups(2) is denied
    IDMAP_SUBIDS, // ranges of /etc/subuid and /etc/subgid, written by newuidmap and newgidmap
    IDMAP_DIRECT, // the launcher holds CAP_SETUID and CAP_SETGID (root, or bryo inside bryo)
};

struct idmaps {
    struct idmap uid;
    struct idmap gid;
    enum idmap_kind kind;
};

// A range of ids that /etc/subuid or /etc/subgid grants.
struct id_range {
    uint32_t first;
    uint32_t count;
};

void idmap_done(struct idmap *map);
void idmaps_done(struct idmaps *maps);
#define AUTO_IDMAPS AUTO(idmaps_done)

void idmap_add(struct idmap *map, uint32_t inside, uint32_t outside, uint32_t count);
void idmap_copy(struct idmap *to, const struct idmap *from);

// The ranges for a user in the text of /etc/subuid or /etc/subgid (subuid(5)): lines
// NAME:FIRST:COUNT or ID:FIRST:COUNT, in file order, several allowed. name may be NULL. Lines that
// are not of the form are passed over, as newuidmap does. The caller frees *ret.
void idmap_parse_subid(const char *text, const char *name, uint32_t id, struct id_range **ret,
                       size_t *ret_n);

// 0 -> own id, 1.. -> the ranges one after another.
void idmap_from_ranges(struct idmap *map, uint32_t own_id, const struct id_range *ranges, size_t n);

// One --uidmap/--gidmap value, as podman takes it: INSIDE:FROM[:COUNT], where FROM counts in the
// ids that the user has (0 the user's own, 1.. the subordinate ones), or is an id of the machine
// when it starts with "@". COUNT defaults to 1. Appends to *map (outside holds FROM) and sets bit i
// of *absolute for an "@" extent. -EINVAL/-ERANGE with err filled in.
int idmap_parse_flag(struct idmap *map, uint64_t absolute[(IDMAP_MAX_EXTENTS + 63) / 64],
                     const char *value, struct err *err);

// Turns the FROM ids of such a map into ids of the machine through base (the map that the user
// would get by default); extents are split where base has a seam. -ERANGE: the user does not have
// that id.
int idmap_resolve(struct idmap *ret, const struct idmap *flags, const uint64_t *absolute,
                  const struct idmap *base, struct err *err);

// Overlaps, wrap-around, more than IDMAP_MAX_EXTENTS, nothing mapped. what: "--uidmap" or the like.
int idmap_check(const struct idmap *map, const char *what, struct err *err);

// The lines as /proc/PID/uid_map takes them, and back. Reading skips blanks as the kernel prints
// them.
void idmap_format(const struct idmap *map, struct buf *out);
int idmap_parse_proc(struct idmap *map, const char *text);

// Whether both map the same ids the same way, however the extents are cut.
bool idmap_equal(const struct idmap *a, const struct idmap *b);

bool idmap_to_outside(const struct idmap *map, uint32_t inside, uint32_t *ret);
bool idmap_to_inside(const struct idmap *map, uint32_t outside, uint32_t *ret);

// A short name for what these maps do to the owners of unpacked files: "single", or 16 hex digits
// of FNV-1a over both maps. Two maps with one key unpack a tarball to the same bytes on disk.
void idmaps_key(const struct idmaps *maps, char ret[17]);

#endif
