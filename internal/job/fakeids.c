// SPDX-License-Identifier: Apache-2.0
#include "internal/job/fakeids.h"

#include <errno.h>
#include <string.h>

void fakeids_init(struct fake_ids *ids, uint32_t uid, uint32_t gid)
{
    // Compared byte by byte, also the groups that are not there.
    memset(ids, 0, sizeof(*ids));
    ids->uid = (struct fake_triple){uid, uid, uid, uid};
    ids->gid = (struct fake_triple){gid, gid, gid, gid};
}

static bool privileged(const struct fake_ids *ids)
{
    return ids->uid.effective == 0;
}

static bool may_choose_groups(const struct fake_ids *ids)
{
    return privileged(ids) || ids->keeps == 2;
}

void fakeids_keep(struct fake_ids *ids, bool on)
{
    if (ids->keeps != 2)
        ids->keeps = on;
}

static bool is_one_of(const struct fake_triple *t, uint32_t id)
{
    return id == t->real || id == t->effective || id == t->saved;
}

static int set_id(struct fake_triple *t, bool may, uint32_t id)
{
    if (id == FAKEIDS_KEEP)
        return -EINVAL;
    if (may)
        t->real = t->saved = id;
    else if (id != t->real && id != t->saved)
        return -EPERM;
    t->effective = t->fs = id;
    return 0;
}

static int set_re(struct fake_triple *t, bool may, uint32_t real, uint32_t effective)
{
    struct fake_triple was = *t;
    if (real != FAKEIDS_KEEP) {
        if (!may && real != was.real && real != was.effective)
            return -EPERM;
        t->real = real;
    }
    if (effective != FAKEIDS_KEEP) {
        if (!may && !is_one_of(&was, effective)) {
            *t = was;
            return -EPERM;
        }
        t->effective = effective;
    }
    if (real != FAKEIDS_KEEP || (effective != FAKEIDS_KEEP && effective != was.real))
        t->saved = t->effective;
    t->fs = t->effective;
    return 0;
}

static int set_res(struct fake_triple *t, bool may, const uint32_t ids[3])
{
    for (int i = 0; i < 3; i++)
        if (!may && ids[i] != FAKEIDS_KEEP && !is_one_of(t, ids[i]))
            return -EPERM;
    if (ids[0] != FAKEIDS_KEEP)
        t->real = ids[0];
    if (ids[1] != FAKEIDS_KEEP)
        t->effective = ids[1];
    if (ids[2] != FAKEIDS_KEEP)
        t->saved = ids[2];
    t->fs = t->effective;
    return 0;
}

static void set_fs(struct fake_triple *t, bool may, uint32_t id)
{
    if (id != FAKEIDS_KEEP && (may || id == t->fs || is_one_of(t, id)))
        t->fs = id;
}

static int set_some(struct fake_triple *t, enum fakeids_call call, bool may, const uint32_t args[3])
{
    switch (call) {
    case FAKEIDS_SETUID:
    case FAKEIDS_SETGID:
        return set_id(t, may, args[0]);
    case FAKEIDS_SETREUID:
    case FAKEIDS_SETREGID:
        return set_re(t, may, args[0], args[1]);
    case FAKEIDS_SETRESUID:
    case FAKEIDS_SETRESGID:
        return set_res(t, may, args);
    case FAKEIDS_SETFSUID:
    case FAKEIDS_SETFSGID:
        set_fs(t, may, args[0]);
        return 0;
    }
    return -EINVAL;
}

int fakeids_set(struct fake_ids *ids, enum fakeids_call call, const uint32_t args[3], bool capable)
{
    bool of_uid = call <= FAKEIDS_SETFSUID;
    bool may = capable && (of_uid ? privileged(ids) : may_choose_groups(ids));
    struct fake_triple *t = of_uid ? &ids->uid : &ids->gid;
    int r = set_some(t, call, may, args);
    if (ids->keeps == 1 && !is_one_of(&ids->uid, 0))
        ids->keeps = 2;
    return r;
}
int fakeids_set_groups(struct fake_ids *ids, const uint32_t *groups, size_t n, bool capable)
{
    if (!capable || !may_choose_groups(ids))
        return -EPERM;
    if (n > FAKEIDS_GROUPS)
        return -EINVAL;
    memset(ids->groups, 0, sizeof(ids->groups));
    if (n)
        memcpy(ids->groups, groups, n * sizeof(*groups));
    ids->n_groups = (uint32_t)n;
    return 0;
}

static bool in_group(const struct fake_ids *ids, uint32_t gid)
{
    if (gid == ids->gid.fs)
        return true;
    for (uint32_t i = 0; i < ids->n_groups; i++)
        if (ids->groups[i] == gid)
            return true;
    return false;
}

int fakeids_may_chown(const struct fake_ids *ids, uint32_t uid, uint32_t gid, uint32_t new_uid,
                      uint32_t new_gid, bool capable)
{
    if (capable && ids->uid.fs == 0)
        return 0;
    if (new_uid != FAKEIDS_KEEP && (new_uid != uid || uid != ids->uid.fs))
        return -EPERM;
    if (new_gid != FAKEIDS_KEEP &&
        (uid != ids->uid.fs || (new_gid != gid && !in_group(ids, new_gid))))
        return -EPERM;
    return 0;
}

bool fakeids_equal(const struct fake_ids *a, const struct fake_ids *b)
{
    return memcmp(a, b, sizeof(*a)) == 0;
}
