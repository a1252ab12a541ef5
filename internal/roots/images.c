// SPDX-License-Identifier: Apache-2.0
#include "internal/roots/images.h"

#include "internal/base/buf.h"
#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/base/log.h"
#include "internal/image/store.h"
#include "internal/job/stage.h"
#include "internal/roots/host_paths.h"
#include "internal/roots/host_unpack.h"
#include "internal/roots/images_priv.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void images_done(struct images *im)
{
    store_close(im->store);
    idmaps_done(&im->identity.maps);
    free(im->cache_dir);
}

int images_open(struct images *im, const struct job_spec *spec, struct err *err)
{
    struct job_spec any;
    job_spec_init(&any);
    int r = host_identity_choose(spec ? spec : &any, 0, 0, &im->identity, err);
    job_spec_done(&any);
    if (r == 0)
        r = host_paths_cache(environ, &im->cache_dir, err);
    if (r == 0)
        r = store_open(im->cache_dir, &im->store, err);
    im->context.maps = &im->identity.maps;
    host_unpack_ops(&im->context, &im->ops);
    return r;
}

void image_info_done(struct image_info *info)
{
    free(info->source);
    free(info->format);
    free(info->path);
    *info = (struct image_info){0};
}

void image_infos_free(struct image_info *infos, size_t n)
{
    for (size_t i = 0; i < n; i++)
        image_info_done(&infos[i]);
    free(infos);
}

void image_verdict_done(struct image_verdict *v)
{
    strv_done(&v->bad);
    *v = (struct image_verdict){0};
}

static struct image_info describe(const struct images *im, const struct store_entry *e)
{
    struct image_info info = {
        .kind = e->layer ? IMAGE_LAYER : IMAGE_ROOT,
        // The analyzer does not follow images_find(), which moves a kept entry over a freed one.
        // NOLINTNEXTLINE(clang-analyzer-unix.Malloc)
        .source = str_dup(e->damaged ? "(meta.json is damaged)" : e->source),
        .format = str_dup(e->damaged ? "unknown" : e->stats.format),
        .input_bytes = e->stats.input_bytes,
        .unpacked_bytes = e->stats.unpacked_bytes,
        .entries = e->stats.entries,
        .skipped_devices = e->stats.skipped_devices,
        .skipped_xattrs = e->stats.skipped_xattrs,
        .squashed_owners = e->stats.squashed_owners,
        .created_s = e->created_s,
        .used_s = e->used_s,
        .in_use = e->in_use,
        .path = str_fmt("%s/bryo/store/%s/rootfs", im->cache_dir, e->name),
    };
    memcpy(info.digest, e->digest, sizeof(info.digest));
    memcpy(info.map_key, e->map_key, sizeof(info.map_key));
    return info;
}

int images_list(struct image_info **ret, size_t *ret_n, struct err *err)
{
    AUTO_IMAGES struct images im = {0};
    struct store_entry *entries = NULL;
    size_t n = 0;
    int r = images_open(&im, NULL, err);
    if (r == 0)
        r = store_list(im.store, &entries, &n, err);
    if (r < 0)
        return err_stage(err, STAGE_STORE);
    *ret = n ? mem_alloc(n * sizeof(**ret)) : NULL;
    for (size_t i = 0; i < n; i++)
        (*ret)[i] = describe(&im, &entries[i]);
    *ret_n = n;
    store_entries_free(entries, n);
    return 0;
}

static bool is_digest_prefix(const char *ref)
{
    size_t n = strlen(ref);
    return n >= 4 && n <= 64 && strspn(ref, "0123456789abcdef") == n;
}

int images_find(struct images *im, const char *ref, struct store_entry **ret, size_t *ret_n,
                struct err *err)
{
    char digest[65];
    struct store_entry *all = NULL;
    size_t n = 0;
    size_t kept = 0;
    if (is_digest_prefix(ref)) {
        (void)snprintf(digest, sizeof(digest), "%s", ref);
    } else {
        int r = store_digest_of(im->store, ref, digest, err);
        if (r < 0)
            return r;
    }
    int r = store_list(im->store, &all, &n, err);
    if (r < 0)
        return r;
    for (size_t i = 0; i < n; i++) {
        if (strncmp(all[i].digest, digest, strlen(digest)) != 0) {
            free(all[i].source);
            continue;
        }
        all[kept++] = all[i];
        if (strcmp(all[0].digest, all[i].digest) != 0)
            r = err_set(err, ENOTUNIQ, "%s begins the digests of several images", ref);
    }
    if (r == 0 && kept == 0) {
        (void)err_set(err, ENOENT, "no stored image is named %s", ref);
        r = err_hint(err, "bryo image ls shows what there is");
    }
    if (r < 0) {
        store_entries_free(all, kept);
        return r;
    }
    *ret = all;
    *ret_n = kept;
    return 0;
}

// The entry that is unpacked as wanted, else any.
static size_t choose(const struct store_entry *entries, size_t n, bool layer)
{
    for (size_t i = 0; i < n; i++)
        if (entries[i].layer == layer)
            return i;
    return 0;
}

int images_inspect(const char *ref, struct image_info *ret, struct err *err)
{
    AUTO_IMAGES struct images im = {0};
    struct store_entry *entries = NULL;
    size_t n = 0;
    int r = images_open(&im, NULL, err);
    if (r == 0)
        r = images_find(&im, ref, &entries, &n, err);
    if (r < 0 || !entries)
        return err_stage(err, STAGE_STORE);
    *ret = describe(&im, &entries[choose(entries, n, false)]);
    store_entries_free(entries, n);
    return 0;
}

static struct image_info describe_dir(const char *path)
{
    char *real = realpath(path, NULL);
    return (struct image_info){.kind = IMAGE_DIR,
                               .source = str_dup(real ? real : path),
                               .format = str_dup("dir"),
                               .path = real ? real : str_dup(path)};
}

static int inspect_one(struct images *im, const char *ref, bool layer, struct image_info *ret,
                       struct err *err)
{
    struct store_entry *entries = NULL;
    struct stat st;
    size_t n = 0;
    if (stat(ref, &st) == 0 && S_ISDIR(st.st_mode)) {
        *ret = describe_dir(ref);
        return 0;
    }
    int r = images_find(im, ref, &entries, &n, err);
    if (r < 0 || !entries)
        return r;
    size_t i = choose(entries, n, layer);
    if (entries[i].layer == layer) {
        *ret = describe(im, &entries[i]);
    } else {
        (void)err_set(err, ENOENT, "%s has been unpacked, but not as a %s", ref,
                      layer ? "layer" : "root");
        r = err_hint(err, "bryo image import %s%s does it", layer ? "--as-layer " : "", ref);
    }
    store_entries_free(entries, n);
    return r;
}

int images_inspect_stack(const char *ref, const struct strv *layers, struct image_info **ret,
                         size_t *ret_n, struct err *err)
{
    AUTO_IMAGES struct images im = {0};
    size_t n = 0;
    struct image_info *infos = mem_alloc((layers->n + 1) * sizeof(*infos));
    int r = images_open(&im, NULL, err);
    if (r == 0)
        r = inspect_one(&im, ref, false, &infos[n++], err);
    for (size_t i = 0; r == 0 && i < layers->n; i++)
        r = inspect_one(&im, layers->v[i], true, &infos[n++], err);
    if (r < 0) {
        image_infos_free(infos, n);
        return err_stage(err, STAGE_STORE);
    }
    *ret = infos;
    *ret_n = n;
    return 0;
}

int images_settle(struct images *im, struct image_ref *ref, struct err *err)
{
    struct err ignored = {0};
    int r = store_settle(ref->lock_fd, err);
    if (r < 0) {
        image_ref_done(ref); // its lock, too
        (void)store_remove(im->store, ref->entry, &im->ops, &ignored);
    }
    return r;
}

int images_import(const struct job_spec *spec, const char *path, bool layer, struct image_info *ret,
                  struct err *err)
{
    AUTO_IMAGES struct images im = {0};
    char map_key[17];
    char key[STORE_KEY_SIZE];
    struct image_ref ref = {.rootfs_fd = -1, .lock_fd = -1};
    struct image_limits limits = {spec->max_unpacked, spec->max_entries};
    int r = images_open(&im, spec, err);
    if (r < 0)
        return err_stage(err, STAGE_STORE);
    AUTO_FREE char *real = realpath(path, NULL);
    idmaps_key(&im.identity.maps, map_key);
    store_key(key, map_key, layer);
    im.context.layer = layer;
    r = store_ensure(im.store, real ? real : path, key, &limits, &im.ops,
                     isatty(STDERR_FILENO) == 1, &ref, err);
    if (r == 0 && !ref.unpacked) // else it was done before
        r = store_sweep(im.store, &im.ops, err);
    if (r == 0)
        r = images_settle(&im, &ref, err);
    if (r == 0 && ref.unpacked)
        host_unpack_tell(&ref.stats);
    if (r < 0) {
        image_ref_done(&ref);
        return err_stage(err, STAGE_IMAGE);
    }
    struct store_entry *entries = NULL;
    size_t n = 0;
    r = store_list(im.store, &entries, &n, err);
    for (size_t i = 0; r == 0 && i < n; i++) {
        if (strcmp(entries[i].name, ref.entry) != 0)
            continue;
        *ret = describe(&im, &entries[i]);
        break;
    }
    store_entries_free(entries, n);
    image_ref_done(&ref);
    return r < 0 ? err_stage(err, STAGE_STORE) : 0;
}
