// SPDX-License-Identifier: Apache-2.0
#include "internal/run/job_users.h"

#include "internal/base/buf.h"
#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/job/idmap.h"
#include "internal/job/stage.h"
#include "internal/roots/layers.h"
#include "internal/roots/merged.h"
#include "internal/roots/rootfs.h"

#include <errno.h>

// Where passwd and group are looked for, when that is more than the tree of the root.
static void stack_of(const struct user_source *from, struct merged *stack)
{
    bool host = from->root->is_host;
    AUTO_FREE char *upper =
        from->scratch ? str_fmt("%s/%s", from->scratch, host ? "host/etc/upper" : "upper") : NULL;
    if (upper || from->layers->paths.n)
        layers_stack(from->layers, host ? "/etc" : from->root->lower, upper, stack);
}

int job_users_find(const struct user_source *from, const char *user, struct job_user *ret,
                   struct err *err)
{
    AUTO_BUF struct buf passwd = {0};
    AUTO_BUF struct buf group = {0};
    AUTO_MERGED struct merged stack = {0};
    stack_of(from, &stack);
    int r = rootfs_read_users(from->root, stack.layers.n ? &stack : NULL, &passwd, &group, err);
    if (r == 0)
        r = userdb_lookup(user, buf_str(&passwd), buf_str(&group), ret, err);
    return r < 0 ? err_stage(err, STAGE_USER) : 0;
}

int job_users_check(const struct idmaps *maps, const char *user, struct job_user *u,
                    struct err *err)
{
    uint32_t outside;
    bool has_uid = idmap_to_outside(&maps->uid, u->uid, &outside);
    if (!has_uid || !idmap_to_outside(&maps->gid, u->gid, &outside)) {
        (void)err_set(err, EINVAL, "-u %s: %s %u is not in the id map of the job",
                      user ? user : "0", has_uid ? "group" : "user", has_uid ? u->gid : u->uid);
        (void)err_hint(err,
                       "widen the range in /etc/subuid and /etc/subgid, or --uidmap and --gidmap");
        return err_stage(err, STAGE_USER);
    }
    size_t n = 0;
    for (size_t i = 0; i < u->n_groups; i++)
        if (idmap_to_outside(&maps->gid, u->groups[i], &outside))
            u->groups[n++] = u->groups[i];
    u->n_groups = n;
    return 0;
}
