// SPDX-License-Identifier: Apache-2.0
// The threads that create files. What concerns one directory is done by one thread, in the order of
// the archive; different directories go in parallel.
//
// Why so: the kernel takes a directory's lock for each name it adds, so two threads in one
// directory only wait for each other; and the order within a directory is what "the last member
// wins" needs.
#ifndef BRYO_IMAGE_WRITER_H
#define BRYO_IMAGE_WRITER_H

#include "internal/image/file_times.h"
#include "internal/image/tree.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct chunk;
struct err;
struct manifest_entry;

struct xattr {
    char *name;
    void *value;
    size_t size;
    struct xattr *next;
};

struct file_meta {
    uint32_t mode; // 07777
    uint32_t uid;  // mapped
    uint32_t gid;
    struct file_times times;
    struct xattr *xattrs; // owned
};

void xattrs_free(struct xattr *x);

// Bytes of a file: in a chunk that is held, or (chunk NULL) in memory that the piece owns.
struct piece {
    unsigned char *at;
    size_t len;
    uint64_t offset; // in the file
    struct chunk *chunk;
};

enum task_kind { TASK_FILE, TASK_MORE, TASK_SYMLINK, TASK_FIFO };

struct task {
    enum task_kind kind;  // TASK_MORE: further pieces of the TASK_FILE before it
    struct tree_dir *dir; // held
    char *path;           // as in the archive, for messages and the manifest
    const char *name;     // last component of path
    char *link;           // TASK_SYMLINK
    bool replace;         // something that is no directory stands there; it goes first
    bool last;            // the file has no further pieces
    uint64_t seq;
    uint64_t size; // of the whole file
    struct file_meta meta;
    struct piece *pieces;
    size_t n_pieces;
    size_t bytes; // in pieces
    struct task *next;
};

struct task *task_new(enum task_kind kind, struct tree_dir *dir, const char *path);
void task_add_piece(struct task *t, const struct piece *p);
void task_free(struct task *t); // gives everything it holds free

struct writers;

// manifest_fd: where lines go; stays the caller's.
int writers_start(unsigned n, int manifest_fd, struct writers **ret, struct err *err);

// Hands the task to the thread that has its directory now, or the one with least to do; takes
// ownership. Waits while that thread's queue is full. Some tasks are collected before the thread
// hears of them: waking it for each would cost more than a small file does.
void writers_submit(struct writers *w, struct task *t);

// Hands over what was collected: before waiting for something that writers may hold.
void writers_push(struct writers *w);

// Waits until everything submitted is done. -errno of the first failure.
int writers_wait(struct writers *w, struct err *err);

// The first failure so far, without waiting.
int writers_failed(struct writers *w, struct err *err);

uint64_t writers_bytes(const struct writers *w);          // written so far
uint64_t writers_skipped_xattrs(const struct writers *w); // that the file system did not take

// Adds a line for what the caller made itself.
void writers_note(struct writers *w, const struct manifest_entry *e);

// Writes what is left of the manifest; after writers_wait().
int writers_flush(struct writers *w, uint64_t members, struct err *err);

void writers_stop(struct writers *w); // ends the threads, drops what is queued, frees; NULL is fine

#endif
