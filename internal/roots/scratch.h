// SPDX-License-Identifier: Apache-2.0
// The scratch directory of a job: $XDG_CACHE_HOME/bryo/scratch/ID, with upper/ and work/ of its
// overlay. Whoever uses it holds flock(2) on it: a directory that nobody holds and that is not kept
// is what a killed bryo left behind. Host side.
#ifndef BRYO_ROOTS_SCRATCH_H
#define BRYO_ROOTS_SCRATCH_H

#include <stdbool.h>

struct err;
struct idmaps;
struct scratch_record;

struct scratch {
    int parent;    // of scratch/
    int fd;        // of the directory itself, flock(2)ed
    char id[17];   // 12 hex digits
    char *path;    // absolute
    bool on_tmpfs; // its file system cannot carry an overlay's upper layer
};

// bryo_dir: absolute path of $XDG_CACHE_HOME/bryo, made where missing (0700).
int scratch_create(const char *bryo_dir, struct scratch *ret, struct err *err);

// Opens a kept one. -ENOENT: no such id; -EBUSY: a job runs in it.
int scratch_reopen(const char *bryo_dir, const char *id, struct scratch *ret,
                   struct scratch_record *record, struct err *err);

// The same for whoever only looks at what is in it; several may at once.
int scratch_look(const char *bryo_dir, const char *id, struct scratch *ret,
                 struct scratch_record *record, struct err *err);

// Keeps it: writes the record, makes it durable.
int scratch_keep(struct scratch *s, const struct scratch_record *record, struct err *err);

// Takes away what a mounted "volatile" overlay keeps in its work directory as a mark, while the job
// runs: a part of scratch_remove() that need not wait for the job's end.
void scratch_forget_volatile(const struct scratch *s);

// Takes away what a job that wrote nothing leaves, by name: most jobs end with that, and a search
// through the directories takes a few times as many system calls. For when nobody can write to the
// job's root any more; it may still be mounted. What is not empty stays for scratch_remove().
void scratch_remove_empty(const struct scratch *s);

// What the kept job of that name below scratch/ remembers, without holding it. -ENOENT, -EINVAL.
int scratch_read_record(int parent, const char *id, struct scratch_record *ret);

// Removes it and frees the struct.
int scratch_remove(struct scratch *s, const struct idmaps *maps, struct err *err);
void scratch_close(struct scratch *s); // frees the struct, leaves the directory

// The names of those left behind, for scratch_sweep(); usually none, which costs a directory
// listing and one flock(2) a running job. Returns how many.
int scratch_find_dead(const struct scratch *own);

// Removes those left behind, beside running jobs. Goes on after a failure.
void scratch_sweep(const struct scratch *own, const struct idmaps *maps);

#endif
