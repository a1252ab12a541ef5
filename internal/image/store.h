// SPDX-License-Identifier: Apache-2.0
// The image store: $XDG_CACHE_HOME/bryo (else ~/.cache/bryo), content-addressed, used by concurrent
// runs without a daemon. An entry exists whole or not at all: it is unpacked under tmp/ and
// renamed. Host side; knows nothing of user namespaces: what needs one is done through image_ops.
//
// An entry is used before it is on disk. Until it is (store_settle()) its folder has the sticky
// bit, from birth, and a file with the boot id of the kernel that has it in memory; after a crash
// or a restart of the machine such an entry counts as none, and is unpacked again.
//
//   store/DIGEST-KEY/{rootfs/,meta.json,manifest}      one unpacked tarball; KEY says how: under
//   which
//                                                      id map, and as a root or as a layer
//   index/DEV-INO-SIZE-MTIME-CTIME                     link: identity of an input file -> DIGEST
//   locks/                                             flock(2) files, one an unpacking under way
//   tmp/                                               unpacking or removal under way
//   scratch/ID/                                        belongs to internal/run
//
// Locks, all flock(2), so that none outlives its holder: an entry's folder is held shared while a
// run uses it and exclusively by whoever removes it; a folder under tmp/ is held exclusively by the
// run that fills it, and whatever there is not held is a leftover that anybody may sweep.
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
    char format[16]; // "tar", "tar.xz", "tar.gz", "tar.zst", "tar.bz2"
    uint64_t input_bytes;
    uint64_t unpacked_bytes;
    uint64_t entries;
    uint64_t skipped_devices;
    uint64_t squashed_owners; // members whose owner the map does not hold, given to 0
    uint64_t skipped_xattrs;  // extended attributes and ACLs that were not kept
};

struct unpack_request {
    int input_fd;    // a tarball, at offset 0
    int dst_fd;      // an empty directory of the user's, which becomes the root
    int manifest_fd; // an empty file: what was written, for verify
    const struct image_limits *limits;
    bool show_progress; // draw the bar on stderr
    // Called once, as soon as the input's digest is known; true: the result is not needed any more,
    // and unpack ends with -ECANCELED.
    bool (*have)(void *have_ctx, const char *digest);
    void *have_ctx;
};

// What the store cannot do by itself, since other users' ids are involved. Set by internal/run.
struct image_ops {
    // Unpacks as root of a user namespace with the maps in force, and reads the digest.
    int (*unpack)(void *ctx, const struct unpack_request *req, struct unpack_stats *ret,
                  struct err *err);
    // Removes name below dirfd and all in it, whoever owns it.
    int (*remove_tree)(void *ctx, int dirfd, const char *name, struct err *err);
    void *ctx;
};

struct store; // an open store

// Opens the store below cache_dir (absolute), makes its folders (0700) where missing. -errno.
int store_open(const char *cache_dir, struct store **ret, struct err *err);
void store_close(struct store *s);      // NULL is fine
int store_dirfd(const struct store *s); // of cache_dir/bryo, for scratch; stays the store's

// An entry in use. Closing lock_fd (or the end of every process that holds it) gives it free.
struct image_ref {
    char entry[96]; // "DIGEST-KEY"
    int rootfs_fd;  // O_PATH
    int lock_fd;    // the entry's folder, flock(2) held shared
    bool unpacked;  // it was not in the store before; stats says what it took
    struct unpack_stats stats;
};

void image_ref_done(struct image_ref *ref); // closes both; fine on {.rootfs_fd = -1, .lock_fd = -1}

// "single", or "single-layer": the KEY of what is unpacked under maps with this idmaps_key().
#define STORE_KEY_SIZE 24
void store_key(char ret[STORE_KEY_SIZE], const char *map_key, bool layer);

// Makes sure that the tarball at path is unpacked as key says. Warm:
// a stat, a lookup by identity and the opening of the entry, ten system calls with store_open,
// however many images are stored; the tarball is not read. Cold: one run unpacks, others that want
// the same wait for it. *ret is filled on success only. Signals that shall end it must not be
// blocked.
int store_ensure(struct store *s, const char *path, const char *key,
                 const struct image_limits *limits, const struct image_ops *ops, bool show_progress,
                 struct image_ref *ret, struct err *err);

// For an entry that is held, by its lock_fd. Whether it may not be on disk yet; waiting until it
// is, and noting it: it outlives the machine's end from then on. A failure to write leaves an entry
// that nobody will take for whole; -EIO, ...
bool store_is_unsettled(int lock_fd);
int store_settle(int lock_fd, struct err *err);

// What is known of one entry.
struct store_entry {
    char name[96]; // "DIGEST-KEY"
    char digest[65];
    char map_key[17];
    bool layer;        // unpacked as one
    char *source;      // path it was unpacked from; "" when its meta.json is damaged
    int64_t created_s; // CLOCK_REALTIME
    int64_t used_s;    // last use, to the minute
    bool in_use;
    bool damaged; // meta.json cannot be read; stats are zero then
    bool lost;    // the machine stopped before it was on disk: the next run unpacks it again
    struct unpack_stats stats;
};

void store_entries_free(struct store_entry *entries, size_t n);

// Newest first.
int store_list(struct store *s, struct store_entry **ret, size_t *ret_n, struct err *err);

// Holds an entry as store_ensure does, also one that is lost. -ENOENT.
int store_hold(struct store *s, const char *name, struct image_ref *ret, struct err *err);

// The digest that the index has for the file at path; -ENOENT: not known.
int store_digest_of(struct store *s, const char *path, char ret_digest[65], struct err *err);

int store_remove(struct store *s, const char *name, const struct image_ops *ops,
                 struct err *err); // -EBUSY

// Removes what a dead run left in tmp/, and index links and locks that lead nowhere.
int store_sweep(struct store *s, const struct image_ops *ops, struct err *err);

#endif
