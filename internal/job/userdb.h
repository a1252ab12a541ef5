// SPDX-License-Identifier: Apache-2.0
// passwd(5) and group(5) as text: the image's own, which a stranger wrote. No NSS, no allocation
// beyond what is returned.
#ifndef BRYO_JOB_USERDB_H
#define BRYO_JOB_USERDB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

struct job_user {
    uint32_t uid;
    uint32_t gid;
    uint32_t *groups; // supplementary, owned; without gid itself
    size_t n_groups;
    char *name; // NULL when passwd has no such id
    char *home; // "/" when not known
};

void job_user_done(struct job_user *u);

// user: "USER", "USER:GROUP", each a name or a strict decimal id; NULL means "0". A number needs no
// entry; a name does. Without GROUP the gid is passwd's (0 when there is no entry) and the
// supplementary groups are those of group(5) that list the name; with GROUP there are none.
// passwd, group: the files' texts, "" when the root has none. -ENOENT: no such name, with err.
int userdb_lookup(const char *user, const char *passwd, const char *group, struct job_user *ret,
                  struct err *err);

// Whether user is of the form above, ids in range: what can be said before the root is there.
// -EINVAL, -ERANGE with err.
int userdb_check(const char *user, struct err *err);

#endif
