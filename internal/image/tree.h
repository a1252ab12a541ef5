// SPDX-License-Identifier: Apache-2.0
// What stands in the tree that is being unpacked: every name and its kind, and the directories with
// their descriptors. Used by one thread; writers only hold what tree_dir_get() gave them.
//
// The destination was empty and only this process writes to it, so this table is the truth, and
// no decision is taken by looking at the disk between two members. The kernel is only ever given
// one component below an open directory, which it may not follow if it is a link: there is no path
// for it to resolve, so none that could lead elsewhere.
#ifndef BRYO_IMAGE_TREE_H
#define BRYO_IMAGE_TREE_H

#include "internal/image/file_times.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct err;

enum tree_kind {
    TREE_NONE,
    TREE_DIR,
    TREE_FILE, // also a hard link to one
    TREE_SYMLINK,
    TREE_FIFO,
    TREE_DEVICE, // named by the archive and not made
};

#define TREE_ROOT 0U // the number of the root directory

struct tree;

// An open directory. fd is O_PATH; it stays open as long as somebody holds it.
struct tree_dir {
    int fd;
    uint32_t dir; // its number
    _Atomic unsigned refs;
    unsigned writer; // for the caller: who writes into it as long as refs > 0
    uint64_t used;
};

// root_fd: the empty destination; stays the caller's.
int tree_new(int root_fd, struct tree **ret, struct err *err);
void tree_free(struct tree *t); // NULL is fine

enum tree_kind tree_find(const struct tree *t, uint32_t dir, const char *name, size_t n);

// The number of a name that is a TREE_DIR.
uint32_t tree_find_dir(const struct tree *t, uint32_t dir, const char *name, size_t n);

// Notes that the name is of this kind now (not TREE_DIR, see below). A directory that is no longer
// there takes all below it along: its number is never used again.
void tree_set(struct tree *t, uint32_t dir, const char *name, size_t n, enum tree_kind kind);

// Notes a new directory, and returns its number.
uint32_t tree_add_dir(struct tree *t, uint32_t parent, const char *name, size_t n);

// Whether the directory is still there: neither it nor one above it was replaced.
bool tree_has_dir(const struct tree *t, uint32_t dir);

// Appends its path below the root, "" for the root.
void tree_dir_path(const struct tree *t, uint32_t dir, struct buf *out);

// The open directory, held for the caller; opened again when it had been closed. NULL with err:
// -EBUSY means that all slots are held, and the caller has to wait for writers.
struct tree_dir *tree_dir_get(struct tree *t, uint32_t dir, struct err *err);
void tree_dir_ref(struct tree_dir *d);
void tree_dir_put(struct tree_dir *d); // from any thread

// What a directory gets at the very end, when nothing is made in it any more: its times, since each
// new name changes them; its owner and its set-group-ID bit, since new files would inherit them.
struct tree_final {
    struct file_times times;
    uint32_t mode;
    uint32_t uid;
    uint32_t gid;
};

void tree_set_final(struct tree *t, uint32_t dir, const struct tree_final *f);
int tree_apply_final(struct tree *t, struct err *err);

#endif
