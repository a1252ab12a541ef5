// SPDX-License-Identifier: Apache-2.0
// bryo clean: composes the user's ids, bryo's store and the giving back of files. Host side.
#ifndef BRYO_ROOTS_CLEAN_H
#define BRYO_ROOTS_CLEAN_H

#include "internal/roots/host_handback.h"

#include <stdbool.h>

struct host_identity;

struct cleaner {
    struct host_identity *id; // owned
    char *store;
};

// What this user has. 0, or -errno with err.
int cleaner_init(char *const envp[], struct cleaner *ret, struct err *err);
void cleaner_done(struct cleaner *c);

// Whether there are ids to which files of the user's jobs could belong.
bool cleaner_has_ids(const struct cleaner *c);

// host_handback() for all of dir. -EINVAL where dir is part of the store.
int cleaner_clean(const struct cleaner *c, const char *dir, struct handback_result *ret,
                  struct err *err);

#endif
