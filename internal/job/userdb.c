// SPDX-License-Identifier: Apache-2.0
#include "internal/job/userdb.h"

#include "internal/base/buf.h"
#include "internal/base/err.h"
#include "internal/base/parse.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

// One more than the last id: 2^32 - 1 means "leave it" to chown(2) and setresuid(2).
#define ID_LAST (UINT32_MAX - 1)

#define GROUPS_MAX 65536 // NGROUPS_MAX of the kernel

struct slice {
    const char *s;
    size_t n;
};

struct passwd_line {
    struct slice name;
    uint32_t uid;
    uint32_t gid;
    struct slice home;
};

struct group_line {
    struct slice name;
    uint32_t gid;
    struct slice members;
};

void job_user_done(struct job_user *u)
{
    free(u->groups);
    free(u->name);
    free(u->home);
    *u = (struct job_user){0};
}

static bool same(struct slice a, struct slice b)
{
    return a.n == b.n && memcmp(a.s, b.s, a.n) == 0;
}

// Takes the bytes up to the next sep off *rest; false when *rest is used up (its s is NULL then).
static bool cut(struct slice *rest, char sep, struct slice *ret)
{
    if (!rest->s)
        return false;
    const char *at = memchr(rest->s, sep, rest->n);
    *ret = (struct slice){rest->s, at ? (size_t)(at - rest->s) : rest->n};
    if (at)
        *rest = (struct slice){at + 1, rest->n - ret->n - 1};
    else
        *rest = (struct slice){0};
    return true;
}

// The first max fields of a line; how many there were.
static size_t split(struct slice line, struct slice *fields, size_t max)
{
    size_t n = 0;
    while (n < max && cut(&line, ':', &fields[n]))
        n++;
    return n;
}

static bool slice_id(struct slice s, uint32_t *ret)
{
    uint64_t id = 0;
    if (parse_u64n(s.s, s.n, 0, ID_LAST, &id) < 0)
        return false;
    *ret = (uint32_t)id;
    return true;
}

// name:password:uid:gid:gecos:home:shell; the next line of that form, others are passed over.
static bool next_passwd(struct slice *rest, struct passwd_line *ret)
{
    struct slice line;
    while (cut(rest, '\n', &line)) {
        struct slice f[6] = {0};
        if (split(line, f, 6) < 4 || f[0].n == 0 || f[0].s[0] == '#')
            continue;
        *ret = (struct passwd_line){.name = f[0], .home = f[5]};
        if (slice_id(f[2], &ret->uid) && slice_id(f[3], &ret->gid))
            return true;
    }
    return false;
}

// name:password:gid:member,member,...
static bool next_group(struct slice *rest, struct group_line *ret)
{
    struct slice line;
    while (cut(rest, '\n', &line)) {
        struct slice f[4] = {0};
        if (split(line, f, 4) < 3 || f[0].n == 0 || f[0].s[0] == '#')
            continue;
        *ret = (struct group_line){.name = f[0], .members = f[3]};
        if (slice_id(f[2], &ret->gid))
            return true;
    }
    return false;
}

static bool all_digits(struct slice s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.s[i] < '0' || s.s[i] > '9')
            return false;
    return s.n > 0;
}

static int check_part(struct slice part, const char *user, const char *what, struct err *err)
{
    uint32_t id = 0;
    if (part.n == 0)
        return err_set(err, EINVAL, "user \"%s\" is not of the form USER[:GROUP]: no %s", user,
                       what);
    if (all_digits(part) && !slice_id(part, &id))
        return err_set(err, ERANGE, "user \"%s\": the %s id is larger than %" PRIu32, user, what,
                       ID_LAST);
    return 0;
}

// USER and GROUP of the user as asked for; group->s is NULL without one.
static int split_user(const char *user, struct slice *name, struct slice *group, struct err *err)
{
    struct slice rest = {user, strlen(user)};
    (void)cut(&rest, ':', name);
    *group = rest;
    int r = check_part(*name, user, "user", err);
    if (r == 0 && group->s)
        r = check_part(*group, user, "group", err);
    if (r == 0 && group->s && memchr(group->s, ':', group->n))
        r = err_set(err, EINVAL, "user \"%s\" is not of the form USER[:GROUP]", user);
    return r;
}

int userdb_check(const char *user, struct err *err)
{
    struct slice name = {0};
    struct slice group = {0};
    return split_user(user, &name, &group, err);
}

static bool lists_member(struct slice members, struct slice name)
{
    struct slice one;
    while (cut(&members, ',', &one))
        if (same(one, name))
            return true;
    return false;
}

static int by_value(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

// The groups that list the name, in ascending order, each once, without the primary one.
static int supplementary(const char *text, struct slice name, struct job_user *u, struct err *err)
{
    struct slice rest = {text, strlen(text)};
    struct group_line g;
    size_t cap = 0;
    while (next_group(&rest, &g)) {
        if (g.gid == u->gid || !lists_member(g.members, name))
            continue;
        if (u->n_groups == GROUPS_MAX)
            return err_set(err, E2BIG, "user \"%.*s\" is in more than %d groups", (int)name.n,
                           name.s, GROUPS_MAX);
        if (u->n_groups == cap) {
            cap = cap ? cap * 2 : 16;
            u->groups = mem_grow(u->groups, cap, sizeof(*u->groups));
        }
        u->groups[u->n_groups++] = g.gid;
    }
    if (u->n_groups == 0)
        return 0;
    qsort(u->groups, u->n_groups, sizeof(*u->groups), by_value);
    size_t last = 0;
    for (size_t i = 1; i < u->n_groups; i++)
        if (u->groups[i] != u->groups[last])
            u->groups[++last] = u->groups[i];
    u->n_groups = last + 1;
    return 0;
}

static int find_user(struct slice name, const char *text, struct job_user *u, struct err *err)
{
    struct slice rest = {text, strlen(text)};
    struct passwd_line p;
    bool by_id = all_digits(name);
    uint32_t id = 0;
    (void)slice_id(name, &id);
    while (next_passwd(&rest, &p)) {
        if (by_id ? p.uid != id : !same(p.name, name))
            continue;
        u->uid = p.uid;
        u->gid = p.gid;
        u->name = str_dupn(p.name.s, p.name.n);
        bool usable = p.home.n > 0 && p.home.s[0] == '/';
        u->home = usable ? str_dupn(p.home.s, p.home.n) : str_dup("/");
        return 0;
    }
    if (!by_id) {
        err_set(err, ENOENT, "no user \"%.*s\" in /etc/passwd of the root file system", (int)name.n,
                name.s);
        return err_hint(err, "name a user that the root file system has, or give a number");
    }
    u->uid = id;
    u->home = str_dup("/");
    return 0;
}

static int find_group(struct slice name, const char *text, uint32_t *ret, struct err *err)
{
    if (all_digits(name)) {
        (void)slice_id(name, ret);
        return 0;
    }
    struct slice rest = {text, strlen(text)};
    struct group_line g;
    while (next_group(&rest, &g)) {
        if (same(g.name, name)) {
            *ret = g.gid;
            return 0;
        }
    }
    err_set(err, ENOENT, "no group \"%.*s\" in /etc/group of the root file system", (int)name.n,
            name.s);
    return err_hint(err, "name a group that the root file system has, or give a number");
}

int userdb_lookup(const char *user, const char *passwd, const char *group, struct job_user *ret,
                  struct err *err)
{
    struct slice name = {0};
    struct slice group_name = {0};
    struct job_user found = {0};
    int r = split_user(user ? user : "0", &name, &group_name, err);
    if (r == 0)
        r = find_user(name, passwd, &found, err);
    if (r == 0 && group_name.s)
        r = find_group(group_name, group, &found.gid, err);
    else if (r == 0 && found.name)
        r = supplementary(group, (struct slice){found.name, strlen(found.name)}, &found, err);
    if (r < 0) {
        job_user_done(&found);
        return r;
    }
    *ret = found;
    return 0;
}
