// SPDX-License-Identifier: Apache-2.0
// bryo image rm and bryo image prune.
#include "internal/base/buf.h"
#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/job/stage.h"
#include "internal/roots/images.h"
#include "internal/roots/images_priv.h"
#include "internal/roots/init_layer.h"
#include "internal/roots/kept_roots.h"

#include <errno.h>
#include <time.h>

static int open_all(struct images *im, char **bryo_dir, struct kept_roots *kept, struct err *err)
{
    int r = images_open(im, NULL, err);
    if (r < 0)
        return r;
    *bryo_dir = str_fmt("%s/bryo", im->cache_dir);
    return kept_roots_find(*bryo_dir, kept, err);
}

static const char *job_upon(const struct kept_roots *kept, const char *bryo_dir,
                            const struct store_entry *e)
{
    AUTO_FREE char *path = str_fmt("%s/store/%s/rootfs", bryo_dir, e->name);
    return kept_roots_job(kept, path);
}

int images_remove(const char *ref, bool force, struct err *err)
{
    AUTO_IMAGES struct images im = {0};
    AUTO_ROOTS struct kept_roots kept = {0};
    AUTO_FREE char *bryo_dir = NULL;
    struct store_entry *entries = NULL;
    size_t n = 0;
    int r = open_all(&im, &bryo_dir, &kept, err);
    if (r == 0)
        r = images_find(&im, ref, &entries, &n, err);
    for (size_t i = 0; r == 0 && i < n && !force; i++) {
        const char *job = job_upon(&kept, bryo_dir, &entries[i]);
        if (!job)
            continue;
        (void)err_set(err, EBUSY, "the kept job %s stands on the image %.12s", job,
                      entries[i].name);
        r = err_hint(err,
                     "bryo run --rm --reuse %s -- true removes that job; --force removes the image "
                     "all the same",
                     job);
    }
    for (size_t i = 0; r == 0 && i < n; i++)
        r = store_remove(im.store, entries[i].name, &im.ops, err);
    if (r == 0)
        r = store_sweep(im.store, &im.ops, err);
    store_entries_free(entries, n);
    return r < 0 ? err_stage(err, STAGE_STORE) : 0;
}

static int prune_one(struct images *im, const struct store_entry *e, struct images_pruned *done,
                     struct err *err)
{
    int r = store_remove(im->store, e->name, &im->ops, err);
    if (r == 0) {
        done->n++;
        done->bytes += e->stats.unpacked_bytes;
    }
    return r == -EBUSY || r == -ENOENT ? 0 : r; // in use, or removed by somebody else
}

int images_prune(uint64_t older_than_s, bool force, struct images_pruned *ret, struct err *err)
{
    AUTO_IMAGES struct images im = {0};
    AUTO_ROOTS struct kept_roots kept = {0};
    AUTO_FREE char *bryo_dir = NULL;
    struct store_entry *entries = NULL;
    size_t n = 0;
    struct images_pruned done = {0};
    int64_t now = (int64_t)time(NULL);
    int r = open_all(&im, &bryo_dir, &kept, err);
    if (r == 0)
        r = store_list(im.store, &entries, &n, err);
    for (size_t i = 0; r == 0 && i < n; i++) {
        int64_t age = now - entries[i].used_s;
        if (older_than_s > 0 && (age < 0 || (uint64_t)age < older_than_s))
            continue;
        if (!force && job_upon(&kept, bryo_dir, &entries[i]))
            done.kept++;
        else
            r = prune_one(&im, &entries[i], &done, err);
    }
    if (r == 0)
        r = store_sweep(im.store, &im.ops, err);
    // A job that runs may have any of them in its stack.
    if (r == 0 && !kept.running)
        init_layer_prune(bryo_dir, older_than_s, &kept.paths);
    store_entries_free(entries, n);
    if (r == 0)
        *ret = done;
    return r < 0 ? err_stage(err, STAGE_STORE) : 0;
}
