// SPDX-License-Identifier: Apache-2.0
// Options that say what the job may do: capabilities, system calls, namespaces.
#include "cmd/bryo/builder.h"

#include "internal/base/err.h"
#include "internal/base/fspath.h"
#include "internal/job/caps.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int set_cap_add(void *ctx, const char *value, struct err *err)
{
    struct builder *b = ctx;
    uint64_t caps = 0;
    int r = caps_parse(value, &caps, err);
    b->cap_add |= caps;
    return r;
}

int set_cap_drop(void *ctx, const char *value, struct err *err)
{
    struct builder *b = ctx;
    uint64_t caps = 0;
    int r = caps_parse(value, &caps, err);
    b->cap_drop |= caps;
    return r;
}

// As docker has it: what is named one by one counts over ALL, and ALL over the default.
uint64_t builder_caps(const struct builder *b)
{
    uint64_t all = caps_all();
    if (b->cap_add == all)
        return all & ~(b->cap_drop == all ? 0 : b->cap_drop);
    if (b->cap_drop == all)
        return b->cap_add;
    return (caps_default() & ~b->cap_drop) | b->cap_add;
}

int set_seccomp(void *ctx, const char *value, struct err *err)
{
    struct builder *b = ctx;
    if (!*value)
        return err_set(err, EINVAL, "expected a file or \"unconfined\", not an empty word");
    free(b->spec.seccomp);
    b->spec.unconfined = strcmp(value, "unconfined") == 0;
    b->spec.seccomp = b->spec.unconfined ? NULL : fspath_clean(b->cwd, value);
    return 0;
}

int set_seccomp_log(void *ctx, const char *value, struct err *err)
{
    struct builder *b = ctx;
    (void)value, (void)err;
    b->spec.seccomp_log = true;
    return 0;
}

int set_landlock(void *ctx, const char *value, struct err *err)
{
    struct builder *b = ctx;
    (void)value, (void)err;
    b->spec.landlock = true;
    return 0;
}

int set_no_userns(void *ctx, const char *value, struct err *err)
{
    struct builder *b = ctx;
    (void)value, (void)err;
    b->spec.no_userns = true;
    return 0;
}

int set_fake_root(void *ctx, const char *value, struct err *err)
{
    (void)value, (void)err;
    ((struct builder *)ctx)->spec.fake_root = FAKE_ROOT_ON;
    return 0;
}

int set_no_fake_root(void *ctx, const char *value, struct err *err)
{
    (void)value, (void)err;
    ((struct builder *)ctx)->spec.fake_root = FAKE_ROOT_OFF;
    return 0;
}
