// SPDX-License-Identifier: Apache-2.0
// What the files of the store share.
#ifndef BRYO_IMAGE_STORE_PRIV_H
#define BRYO_IMAGE_STORE_PRIV_H

#include "internal/image/store.h"

#include <sys/types.h>

struct store {
    char *path; // of cache_dir/bryo, for messages
    int fd;
};

// A folder under tmp/ that this process fills: held exclusively until the descriptor is closed.
struct store_tmp {
    char path[64]; // "tmp/NAME", below the store
    int fd;
};

int store_tmp_make(struct store *s, struct store_tmp *ret, struct err *err);

// Takes the folder out of the way and removes it; a failure leaves it to the next sweep.
void store_tmp_drop(struct store *s, struct store_tmp *tmp, const struct image_ops *ops);

// Holds the entry if it is there, whole. -ENOENT otherwise (a damaged one is none, and one that is
// lost only counts where any is true).
int store_entry_open(struct store *s, const char *name, bool any, struct image_ref *ret);

// Whether it has all its parts.
bool store_entry_is_whole(struct store *s, const char *name);

// The same for an entry that was just published: where it is the folder that this process filled,
// the exclusive lock becomes a shared one, and *tmp is empty.
int store_entry_adopt(struct store *s, const char *name, struct store_tmp *tmp,
                      struct image_ref *ret);

// Whether the name below dirfd is still the folder that fd has open.
bool store_is_same_dir(int dirfd, const char *name, int fd);

// An entry's folder that has this bit is not known to be on disk.
#define STORE_UNSETTLED S_ISVTX

// Notes in a folder that is being filled which kernel has it in memory.
int store_settle_later(int entry_fd);

// Whether that kernel is not the one that runs. For a folder with the bit.
bool store_is_lost(int entry_fd);

// Folder of the store, opened for reading; made where missing.
int store_subdir(struct store *s, const char *name, struct err *err);

#endif
