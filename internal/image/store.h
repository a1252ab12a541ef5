// SPDX-License-Identifier: Apache-2.0
// The image store: $XDG_CACHE_HOME/bryo (else ~/.cache/bryo), content-addressed, used by concurrent
// runs without a daemon. An entry exists whole or not at all: it is unpacked under tmp/, synced and
// renamed. Host side; knows nothing of user namespaces: what needs one is done through image_ops.
//
//   store/DIGEST-MAPKEY/{rootfs/,meta.json,manifest}   one unpacked tarball under one id map
//   index/DEV-INO-SIZE-MTIME-CTIME                     identity of an input file -> DIGEST
//   locks/                                             flock(2) files
//   tmp/                                               unpacking under way; swept when unlocked
//   scratch/ID/                                        belongs to internal/run
#ifndef BRYO_IMAGE_STORE_H
#define BRYO_IMAGE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

struct image_limits {
    uint64_t max_bytes;   // unpacked, apparent sizes
    uint64_t max_entries; // members
};

struct unpack_stats {
    char digest[65]; // SHA-256 of the input's bytes, hex
    uint64_t input_bytes;
    uint64_t unpacked_bytes;
    uint64_t entries;
    uint64_t skipped_devices;
    uint64_t squashed_owners; // members whose owner the map does not hold, given to 0
};

// What the store cannot do by itself, since other users' ids are involved. Set by internal/run.
struct image_ops {
    // Unpacks the input (a tarball, at offset 0) into dst_fd (an empty directory of the user's) as
    // root of a user namespace with the maps in force, and reads its digest. show_progress: draw
    // the bar on stderr. The result must be on disk when it returns.
    int (*unpack)(void *ctx, int input_fd, int dst_fd, const struct image_limits *limits,
                  bool show_progress, struct unpack_stats *ret, struct err *err);
    // Removes name below dirfd and all in it, whoever owns it.
    int (*remove_tree)(void *ctx, int dirfd, const char *name, struct err *err);
    void *ctx;
};

struct store; // an open store

// Opens the store below cache_dir (absolute), makes its folders (0700) where missing. -errno.
int store_open(const char *cache_dir, struct store **ret, struct err *err);
void store_close(struct store *s);
int store_dirfd(const struct store *s); // of cache_dir/bryo, for scratch; stays the store's

// Makes sure that the tarball at path is unpacked under the maps with this key (idmaps_key), and
// returns the entry's name ("DIGEST-MAPKEY") and an O_PATH descriptor of its rootfs. Warm: an
// open, an fstat and a lookup by identity; the tarball is not read. Cold: one run unpacks, others
// that want the same wait for it.
int store_ensure(struct store *s, const char *path, const char *map_key,
                 const struct image_limits *limits, const struct image_ops *ops, bool show_progress,
                 char ret_entry[96], int *ret_rootfs_fd, struct err *err);

#endif
