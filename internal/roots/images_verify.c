// SPDX-License-Identifier: Apache-2.0
// bryo image verify: entries compared with what was unpacked, and unpacked once more.
#include "internal/base/buf.h"
#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/job/idmap.h"
#include "internal/job/stage.h"
#include "internal/roots/images.h"
#include "internal/roots/images_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

// The maps an entry was unpacked under, where the user still has them: those in force, or the
// single one. *single is to be freed.
static const struct idmaps *maps_of(struct images *im, const struct store_entry *e,
                                    struct host_identity *single, struct err *err)
{
    char key[17];
    idmaps_key(&im->identity.maps, key);
    if (strcmp(key, e->map_key) == 0)
        return &im->identity.maps;
    if (strcmp(e->map_key, "single") != 0)
        return NULL;
    struct job_spec spec;
    job_spec_init(&spec);
    spec.userns = USERNS_SINGLE;
    int r = host_identity_choose(&spec, 0, 0, single, err);
    job_spec_done(&spec);
    return r == 0 ? &single->maps : NULL;
}

// Under the widest maps the user has everything can be read, but owners have other numbers.
static int compare(struct images *im, const struct store_entry *e, const struct idmaps *maps,
                   struct image_verdict *v, struct err *err)
{
    struct image_ref held = {.rootfs_fd = -1, .lock_fd = -1};
    uint64_t checked = 0;
    int r = store_hold(im->store, e->name, &held, err);
    if (r == 0)
        r = host_unpack_verify(maps ? maps : &im->identity.maps, &held, maps != NULL, &checked,
                               &v->bad, err);
    image_ref_done(&held);
    if (r == 0 && e->damaged)
        strv_add(&v->bad, "meta.json of the entry is damaged");
    if (r == 0 && e->lost)
        strv_add(&v->bad, "the machine stopped before all of it was on disk: the next run unpacks "
                          "it again");
    v->checked += checked;
    return r;
}

// The tarball that an entry came from: what the user named, or where it was.
static int find_source(const char *ref, const struct store_entry *e, const char **ret,
                       struct err *err)
{
    char digest[65];
    const char *paths[] = {ref, e->source};
    for (size_t i = 0; i < 2; i++) {
        AUTO_FD int fd = open(paths[i], O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        struct err ignored = {0};
        if (fd < 0 || host_unpack_digest(fd, digest, &ignored) < 0 ||
            strcmp(digest, e->digest) != 0)
            continue;
        *ret = paths[i];
        return 0;
    }
    bool there = e->source[0] && access(e->source, F_OK) == 0;
    (void)err_set(err, ENOENT, "the image %.12s is damaged, and %s %s", e->digest,
                  e->source[0] ? e->source : "what it was unpacked from",
                  there ? "is another file now" : "is not there any more");
    return err_hint(err, "bryo image rm %.12s removes it; a run with the tarball unpacks it again",
                    e->digest);
}

static int unpack_again(struct images *im, const struct job_spec *spec, const char *ref,
                        const struct store_entry *e, const struct idmaps *maps, struct err *err)
{
    struct image_ref held = {.rootfs_fd = -1, .lock_fd = -1};
    struct image_limits limits = {spec->max_unpacked, spec->max_entries};
    struct unpack_context context = {.maps = maps, .layer = e->layer};
    struct image_ops ops;
    char key[STORE_KEY_SIZE];
    const char *source = NULL;
    if (!maps) {
        (void)err_set(err, EINVAL, "the image %.12s was unpacked under other id maps", e->digest);
        return err_hint(err, "give the --userns, --uidmap and --gidmap of that run");
    }
    host_unpack_ops(&context, &ops);
    store_key(key, e->map_key, e->layer);
    int r = find_source(ref, e, &source, err);
    if (r == 0)
        r = store_remove(im->store, e->name, &im->ops, err);
    AUTO_FREE char *path = r == 0 ? realpath(source, NULL) : NULL;
    if (r == 0)
        r = store_ensure(im->store, path ? path : source, key, &limits, &ops, false, &held, err);
    if (r == 0)
        r = images_settle(im, &held, err);
    image_ref_done(&held);
    return r;
}

static int verify_one(struct images *im, const struct images_verify_opts *o, const char *ref,
                      const struct store_entry *e, struct image_verdict *v, struct err *err)
{
    struct host_identity single = {0};
    size_t before = v->bad.n;
    const struct idmaps *maps = maps_of(im, e, &single, err);
    int r = compare(im, e, maps, v, err);
    if (r < 0 && o->repair) {
        strv_addf(&v->bad, "%s", err->text);
        *err = (struct err){0};
        r = 0;
    }
    if (r == 0 && o->repair && v->bad.n > before) {
        r = unpack_again(im, o->spec, ref, e, maps, err);
        v->repaired += r == 0;
        v->repaired_faults += r == 0 ? v->bad.n - before : 0;
    }
    idmaps_done(&single.maps);
    return r;
}

int images_verify(const char *ref, const struct images_verify_opts *opts, struct image_verdict *ret,
                  struct err *err)
{
    AUTO_IMAGES struct images im = {0};
    struct store_entry *entries = NULL;
    size_t n = 0;
    struct image_verdict v = {0};
    int r = images_open(&im, opts->spec, err);
    if (r == 0)
        r = images_find(&im, ref, &entries, &n, err);
    for (size_t i = 0; r == 0 && i < n; i++)
        r = verify_one(&im, opts, ref, &entries[i], &v, err);
    store_entries_free(entries, n);
    if (r < 0) {
        image_verdict_done(&v);
        return err_stage(err, STAGE_STORE);
    }
    *ret = v;
    return 0;
}
