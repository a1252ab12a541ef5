// SPDX-License-Identifier: Apache-2.0
#include "internal/roots/clean.h"

#include "internal/base/buf.h"
#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/job/spec.h"
#include "internal/roots/host_paths.h"
#include "internal/sandbox/host_identity.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int cleaner_init(char *const envp[], struct cleaner *ret, struct err *err)
{
    AUTO_FREE char *cache = NULL;
    struct job_spec spec;
    int r = host_paths_cache(envp, &cache, err);
    if (r < 0)
        return r;
    struct host_identity *id = mem_alloc(sizeof(*id));
    job_spec_init(&spec);
    r = host_identity_choose(&spec, 0, 0, id, err);
    job_spec_done(&spec);
    if (r < 0) {
        free(id);
        return r;
    }
    *ret = (struct cleaner){.id = id, .store = str_fmt("%s/bryo", cache)};
    return 0;
}

void cleaner_done(struct cleaner *c)
{
    if (c->id)
        idmaps_done(&c->id->maps);
    free(c->id);
    free(c->store);
    *c = (struct cleaner){0};
}

bool cleaner_has_ids(const struct cleaner *c)
{
    return c->id->maps.kind == IDMAP_SUBIDS;
}

// An image whose files change their owners is no longer the one that was unpacked.
static int keep_off_store(const char *dir, const char *store, struct err *err)
{
    AUTO_FREE char *real = realpath(dir, NULL);
    AUTO_FREE char *own = realpath(store, NULL);
    size_t n = own ? strlen(own) : 0;
    if (!real || !own || strncmp(real, own, n) != 0 || (real[n] != '/' && real[n] != '\0'))
        return 0;
    (void)err_set(err, EINVAL, "%s is part of bryo's own store", dir);
    return err_hint(err, "bryo image rm and bryo image prune remove what lies there");
}

int cleaner_clean(const struct cleaner *c, const char *dir, struct handback_result *ret,
                  struct err *err)
{
    struct handback h = {.dir = dir, .store = c->store, .maps = &c->id->maps};
    *ret = (struct handback_result){0};
    int r = keep_off_store(dir, c->store, err);
    return r < 0 ? r : host_handback(&h, ret, err);
}
