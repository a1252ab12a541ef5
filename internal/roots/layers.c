// SPDX-License-Identifier: Apache-2.0
#include "internal/roots/layers.h"

#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/image/store.h"
#include "internal/job/idmap.h"
#include "internal/job/spec.h"
#include "internal/job/stage.h"
#include "internal/roots/host_unpack.h"
#include "internal/roots/merged.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

void layers_close(struct layers *l)
{
    for (size_t i = 0; l->locks && i < l->paths.n; i++)
        fd_closep(&l->locks[i]);
    free(l->locks);
    strv_done(&l->sources);
    strv_done(&l->paths);
    *l = (struct layers){0};
}

struct opening {
    struct layers layers;
    struct store *store; // NULL until a tarball needs it
    const char *cache_dir;
    char key[STORE_KEY_SIZE];
    struct image_limits limits;
    struct image_ops ops;
};

// locks has room for it.
static void add(struct layers *l, const char *source, const char *path, int lock)
{
    l->locks[l->paths.n] = lock;
    strv_add(&l->sources, source);
    strv_add(&l->paths, path);
}

static int add_tarball(struct opening *o, const char *source, struct err *err)
{
    struct image_ref ref = {.rootfs_fd = -1, .lock_fd = -1};
    int r = o->store ? 0 : store_open(o->cache_dir, &o->store, err);
    if (r == 0)
        r = store_ensure(o->store, source, o->key, &o->limits, &o->ops, isatty(STDERR_FILENO), &ref,
                         err);
    if (r < 0)
        return err_stage(err, STAGE_STORE);
    AUTO_FREE char *path = str_fmt("%s/bryo/store/%s/rootfs", o->cache_dir, ref.entry);
    add(&o->layers, source, path, TAKE_FD(ref.lock_fd));
    if (ref.unpacked)
        host_unpack_tell(&ref.stats);
    image_ref_done(&ref);
    return 0;
}

static int add_layer(struct opening *o, const char *name, struct err *err)
{
    struct stat st;
    AUTO_FREE char *source = realpath(name, NULL);
    if (!source || stat(source, &st) < 0)
        return err_sys(err, errno, "--layer %s", name);
    if (!S_ISDIR(st.st_mode))
        return add_tarball(o, source, err);
    add(&o->layers, source, source, -1);
    return 0;
}

int layers_open(const struct job_spec *spec, const struct idmaps *maps, const char *cache_dir,
                struct layers *ret, struct err *err)
{
    char map_key[17];
    struct unpack_context unpack = {.maps = maps, .layer = true};
    struct opening o = {
        .cache_dir = cache_dir,
        .limits = {.max_bytes = spec->max_unpacked, .max_entries = spec->max_entries}};
    int r = 0;
    if (spec->layers.n == 0)
        return 0;
    idmaps_key(maps, map_key);
    store_key(o.key, map_key, true);
    host_unpack_ops(&unpack, &o.ops);
    o.layers.locks = mem_alloc(spec->layers.n * sizeof(*o.layers.locks));
    for (size_t i = 0; r == 0 && i < spec->layers.n; i++)
        r = add_layer(&o, spec->layers.v[i], err);
    store_close(o.store);
    if (r < 0) {
        layers_close(&o.layers);
        return err_stage(err, STAGE_IMAGE);
    }
    *ret = o.layers;
    return 0;
}

int layers_reopen(const struct strv *sources, const struct strv *paths, struct layers *ret,
                  struct err *err)
{
    struct layers l = {.locks = mem_alloc((paths->n + 1) * sizeof(*l.locks))};
    for (size_t i = 0; i < paths->n; i++) {
        add(&l, sources->v[i], paths->v[i], -1);
        if (access(paths->v[i], F_OK) == 0)
            continue;
        (void)err_sys(err, errno, "cannot open the layer %s", paths->v[i]);
        (void)err_hint(err, "the kept job stands on %s, which is no longer unpacked",
                       sources->v[i]);
        layers_close(&l);
        return err_stage(err, STAGE_IMAGE);
    }
    *ret = l;
    return 0;
}

void layers_stack(const struct layers *l, const char *lower, const char *upper, struct merged *ret)
{
    if (upper)
        strv_add(&ret->layers, upper);
    for (size_t i = l->paths.n; i-- > 0;)
        strv_add(&ret->layers, l->paths.v[i]);
    strv_add(&ret->layers, lower);
}
