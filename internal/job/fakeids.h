// SPDX-License-Identifier: Apache-2.0
// The ids of a process that only seems to have changed them: what set*id(2) and setgroups(2) do
// (credentials(7)), on data. Whoever's effective uid is 0 has all capabilities here, as far as the
// caller says that the process has them (capable). Pure.
#ifndef BRYO_JOB_FAKEIDS_H
#define BRYO_JOB_FAKEIDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FAKEIDS_GROUPS 64    // supplementary groups that are remembered; the kernel takes 65536
#define FAKEIDS_KEEP   (~0U) // -1: this one stays as it is

struct fake_triple {
    uint32_t real;
    uint32_t effective;
    uint32_t saved;
    uint32_t fs;
};

struct fake_ids {
    struct fake_triple uid;
    struct fake_triple gid;
    uint32_t keeps; // 1: PR_SET_KEEPCAPS; 2: became another with that, and may still choose groups
    uint32_t n_groups;
    uint32_t groups[FAKEIDS_GROUPS];
};

enum fakeids_call {
    FAKEIDS_SETUID,
    FAKEIDS_SETREUID,
    FAKEIDS_SETRESUID,
    FAKEIDS_SETFSUID, // never fails; the caller answers with the fs id from before
    FAKEIDS_SETGID,
    FAKEIDS_SETREGID,
    FAKEIDS_SETRESGID,
    FAKEIDS_SETFSGID,
};

// The effects of prctl(2) with PR_SET_KEEPCAPS, and SECBIT_KEEP_CAPS.
void fakeids_keep(struct fake_ids *ids, bool on);

// Everybody is uid and gid, in no other group.
void fakeids_init(struct fake_ids *ids, uint32_t uid, uint32_t gid);

// 0, -EPERM, or -EINVAL (an id of -1 where none is asked to stay). On failure nothing changes.
int fakeids_set(struct fake_ids *ids, enum fakeids_call call, const uint32_t args[3], bool capable);

// -EPERM; -EINVAL for more groups than are remembered.
int fakeids_set_groups(struct fake_ids *ids, const uint32_t *groups, size_t n, bool capable);

// chown(2): whether a process with these ids may give a file of (uid, gid) to new ones. -EPERM.
int fakeids_may_chown(const struct fake_ids *ids, uint32_t uid, uint32_t gid, uint32_t new_uid,
                      uint32_t new_gid, bool capable);

bool fakeids_equal(const struct fake_ids *a, const struct fake_ids *b);

#endif
