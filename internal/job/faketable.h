// SPDX-License-Identifier: Apache-2.0
// What is pretended about files: owners that they do not have, and devices that they are not. Pure.
//
// A file is its device and inode numbers. Those of a removed file are given to a new one, whose
// time of birth then tells the two apart (0 on file systems that know none).
#ifndef BRYO_JOB_FAKETABLE_H
#define BRYO_JOB_FAKETABLE_H

#include <stddef.h>
#include <stdint.h>

struct fake_file {
    uint64_t dev;
    uint64_t ino;
    uint64_t birth_ns;
};

struct fake_entry {
    struct fake_file file;
    uint32_t uid;
    uint32_t gid;
    uint32_t type; // S_IFCHR or S_IFBLK of what it passes for; 0: what it is
    uint32_t rdev; // as mknod(2) was given it
};

struct fake_table {
    struct fake_entry *slots; // owned; type FAKE_EMPTY where free
    size_t cap;               // a power of two, or 0
    size_t n;
};

#define FAKE_ENTRIES_MAX 1000000 // of 40 bytes, at most half of the slots

void fake_table_done(struct fake_table *t);

// NULL where nothing is pretended. Valid until the table changes.
const struct fake_entry *fake_table_find(const struct fake_table *t, const struct fake_file *file);

// Adds, or replaces what was there about the same numbers. -ENOSPC: the table is full.
int fake_table_put(struct fake_table *t, const struct fake_entry *entry);
void fake_table_drop(struct fake_table *t, const struct fake_file *file);

#endif
